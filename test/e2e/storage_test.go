package e2e

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/test/support/process"
)

// onSQLiteAlone names the tests that do not run on the other storages, under the reason: their result is decided before
// the storage is asked, or without it. A test that is not named here runs on every storage.
var onSQLiteAlone = map[string][]string{
	"bodies and headers are read before the storage is asked": {
		"TestFormsInOtherCharsets", "TestEscapesOfForms", "TestRedirectsToTheSlash", "TestAuthorizationSchemes",
		"TestNotAcceptable", "TestMediaTypesAndSize", "TestMethodNotAllowed", "TestMalformedJSON", "TestProblemNamesMembers",
		"TestStrictTakesNoForms", "TestStrictPasswords", "TestAllowIsInEveryAnswer", "TestHeadAndOptions",
		"TestMissingSlashRedirects", "TestRefusalsDoNotWaitForTheBody", "TestLogLinesCannotBeForged",
	},
	"connections and certificates": {
		"TestTLS", "TestHangupReloadsTheCertificate", "TestNoHSTSWithoutTLS", "TestInvalidCertificatePreventsStart", "TestACME",
		"TestStopDoesNotWaitForSilentTLSConnections", "TestStopEndsIncompleteRequests", "TestHealthCommandOverTLS",
	},
	"backups are of SQLite": {
		"TestBackupUnderLoad", "TestDamagedBackupIsRefused", "TestRestoreReplacesNothing", "TestKilledBackup", "TestBackupOfADatabaseServer",
	},
	"settings, and the binary": {
		"TestBrokenConfiguration", "TestConfigurationFile", "TestLooseSettingsAreLogged", "TestCheckHidesSecrets",
		"TestBinaryStaysSmall",
	},
	"throttles and the queue of hashes are the memory of one process": {
		"TestRegistrationIsThrottled", "TestBehindAProxy", "TestUntrustedProxyIsLogged", "TestOneAccountCannotFillTheDisk",
		"TestSignInFlood",
	},
	"signing keys are files; sessions of several instances are test/cluster's": {
		"TestKeysRotateUnderLoad", "TestKilledKeyCommands", "TestUnreadableKeys", "TestSecretRotatesWithFallbacks",
		"TestSourcesOfSigningKeys", "TestPublishedKeyVerifiesTokens", "TestTokenTypesAreNotInterchangeable",
		"TestStrictTokensNameIssuerAndAudience", "TestKindsOfTokensForOtherServices",
	},
}

func TestMain(m *testing.M) {
	flag.Parse()
	if backend := os.Getenv(process.BackendVariable); backend != "" && backend != "sqlite" && flag.Lookup("test.skip").Value.String() == "" {
		var names []string
		for _, of := range onSQLiteAlone {
			names = append(names, of...)
		}
		if err := flag.Set("test.skip", "^("+strings.Join(names, "|")+")$"); err != nil {
			panic(err)
		}
	}
	process.Main(m)
}

// Each name in onSQLiteAlone is that of a test, and occurs once.
func TestOnSQLiteAlone(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				there[fn.Name.Name] = true
			}
		}
	}
	for reason, names := range onSQLiteAlone {
		for _, name := range names {
			if !there[name] {
				t.Errorf("%s (%s): there is no such test, or it is named twice", name, reason)
			}
			delete(there, name)
		}
	}
}
