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

// onSQLiteAlone names the tests that are left out on the other storages, under the reason why those cannot change the
// result. The rule: what the test says is decided before the storage is asked, or without it. A test that is not named
// here runs on every storage.
var onSQLiteAlone = map[string][]string{
	"bodies and headers are read before the storage is asked": {
		"TestFormsInOtherCharsets", "TestEscapesOfForms", "TestRedirectsToTheSlash", "TestAuthorizationSchemes",
		"TestNotAcceptable", "TestMediaTypesAndSize", "TestMethodNotAllowed", "TestMalformedJSON", "TestProblemNamesMembers",
		"TestStrictTakesNoForms", "TestStrictPasswords", "TestEveryAnswerTellsTheMethods", "TestHeadAndOptions",
		"TestMissingSlashLeadsOn", "TestRefusalsDoNotWaitForTheBody", "TestNobodyForgesALineOfTheLog",
	},
	"connections and certificates": {
		"TestTLS", "TestHangupReloadsTheCertificate", "TestNoHSTSInTheClear", "TestABadCertificateStopsTheStart", "TestACME",
		"TestASilentConnectionDoesNotSpoilTheStop", "TestAHalfSentRequestDoesNotSpoilTheStop",
	},
	"settings, and the binary": {
		"TestBrokenConfiguration", "TestConfigurationFile", "TestLooseSettingsAreWarnedOf", "TestCheckHidesSecrets",
		"TestBinaryStaysSmall",
	},
	"throttles and the queue of hashes are the memory of one process": {
		"TestRegistrationIsThrottled", "TestBehindAProxy", "TestAnUnnamedProxyIsToldOf", "TestOneAccountCannotFillTheDisk",
		"TestSignInFlood",
	},
	"signing keys are files; sessions of several instances are test/cluster's": {
		"TestKeysRotateUnderLoad", "TestKilledKeyCommands", "TestUnreadableKeys", "TestSecretRotatesWithFallbacks",
		"TestKeysGivenOtherwise", "TestPublishedKeyVerifiesTokens", "TestTokenTypesAreKeptApart",
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

// TestOnSQLiteAlone: each test that is left out on the other storages is there, and is named once.
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
