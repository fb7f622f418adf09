package transfer_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"roster/test/support/process"
)

// Sources with the unusual forms that other systems write are imported, or refused with a message.
func TestUnusualSources(t *testing.T) {
	for name, c := range map[string]struct {
		file, flags string
		code        int
		added       int
		says        string // in the output or the errors
	}{
		"labels in capitals":        {"label-mixed", "", 0, 2, ""},
		"a history beside":          {"label-history", "", 0, 1, ""},
		"model as spelt":            {"label-history", "--user-model accounts.User", 0, 1, ""},
		"blacklist in capitals":     {"label-blacklist", "--blacklist", 0, 1, `Revoked tokens:\n +added +1 `},
		"no blacklist":              {"no-blacklist", "--blacklist", 1, 1, `--blacklist took nothing over`},
		"no blacklist, no flag":     {"no-blacklist", "", 0, 1, ""},
		"no blacklist, dry":         {"no-blacklist", "--blacklist --dry-run", 1, 1, `--blacklist took nothing over`},
		"unknown revocation":        {"blacklist-dangling", "--blacklist", 1, 1, `1 of the revoked tokens did not go in`},
		"revocations, no flag":      {"blacklist-dangling", "", 0, 1, ""},
		"numbers without JSON form": {"nan", "", 0, 1, ""},
		"the year 1":                {"year-one", "", 1, 2, `1 of the users did not go in`},
		"the last id of all":        {"largest-id", "", 1, 1, `1 of the users did not go in`},
		"windows-1252":              {"windows-1252", "", 1, 0, `not in UTF-8`},
	} {
		t.Run(name, func(t *testing.T) {
			path, err := filepath.Abs("testdata/" + c.file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			env := newSettings(t)
			must(t, env, "migrate") // a dry run creates no database
			got := run(t, env, "", append([]string{"import", "django", path}, strings.Fields(c.flags)...)...)
			added := regexp.MustCompile(fmt.Sprintf(`(?m)^ +added +%d `, c.added)).MatchString(got.out)
			if got.code != c.code || c.added > 0 && !added || !regexp.MustCompile(c.says).MatchString(got.out+got.errs) {
				t.Errorf("exit code %d\n%s%s", got.code, got.out, got.errs)
			}
		})
	}
}

// After the import of such sources, users without is_active are inactive, dates are kept, and a registration gets a
// free id.
func TestServiceAfterUnusualSources(t *testing.T) {
	for file, c := range map[string]struct {
		listed string
		next   string
	}{
		"null-active": {`"is_active": *false.*\n.*"is_active": *false`, "3"},
		"year-one":    {`"id": *2,.*0001-01-02T00:00:00`, "4"},
		"largest-id":  {`"id": *1,`, "2"},
	} {
		s := process.Prepare(t, djangoSettings())
		path, err := filepath.Abs("testdata/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		s.CLI("import", "django", path) // TestUnusualSources checks the exit code
		if list := s.MustCLI("user", "list", "--format", "json"); !regexp.MustCompile(c.listed).MatchString(list) || strings.Contains(list, "9223372036854775807") {
			t.Errorf("%s: %s", file, list)
		}
		s.Restart()
		status, got := request(t, s, "POST", "/api/users/", "", map[string]string{"email": "new@example.com", "password": "Zx9-lantern-orchard", "first_name": "A", "last_name": "B"})
		if status != http.StatusCreated || got["id"] != json.Number(c.next) {
			t.Errorf("%s: a registration: %d %v", file, status, got)
		}
	}
}

// An editor of Django's admin site becomes an administrator only with the flag for it. The summary has both counts.
func TestEditorsAreNoAdministrators(t *testing.T) {
	row := func(pk int, email string, staff, superuser bool) string {
		return fmt.Sprintf(`{"model":"auth.user","pk":%d,"fields":{"password":"!x","last_login":null,"email":%q,"first_name":"A","last_name":"B","is_active":true,"is_staff":%t,"is_superuser":%t,"date_joined":"2020-01-01T00:00:00Z"}}`, pk, email, staff, superuser)
	}
	path := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(path, []byte("["+row(1, "boss@example.com", true, true)+","+row(2, "editor@example.com", true, false)+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]struct{ staff, says string }{
		"":                 {"1", `is_superuser +1 +administrators here\n +is_staff +2 +not administrators`},
		"--staff-as-admin": {"1 2", `is_superuser +1 +not administrators .*\n +is_staff +2 +administrators here`},
	} {
		env := newSettings(t)
		got := must(t, env, append([]string{"import", "django", path}, strings.Fields(flag)...)...)
		if !regexp.MustCompile(want.says).MatchString(got.out) {
			t.Errorf("%q: %s", flag, got.out)
		}
		var staff []string
		for _, line := range userLines(t, env) {
			if m := regexp.MustCompile(`"id":"(\d+)".*"is_staff":true`).FindStringSubmatch(line); m != nil {
				staff = append(staff, m[1])
			}
		}
		if strings.Join(staff, " ") != want.staff {
			t.Errorf("%q: administrators %v, want %s", flag, staff, want.staff)
		}
	}
}

// gzipped returns a text compressed as a member of a gzip file, which may have several.
func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = z.Write([]byte(text))
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The import of a small compressed file with large content takes little memory.
func TestRowsTakeBoundedMemory(t *testing.T) {
	var b bytes.Buffer
	write := func(text string, times int) { b.Write(bytes.Repeat(gzipped(t, text), times)) }
	const row = `{"model":"a.user","pk":%d,"fields":{"password":"!","last_login":null,"email":"user%d@example.com","bio":"`
	write("["+fmt.Sprintf(row, 1, 1), 1)
	write(strings.Repeat("x", 1<<20), 200)
	write(`"}}`, 1)
	bio := gzipped(t, strings.Repeat("y", 4<<20)+`"}}`)
	for n := range 40 { // each within the limits
		write(","+fmt.Sprintf(row, n+2, n+2), 1)
		b.Write(bio)
	}
	var rest strings.Builder
	for n := range 2000 { // so that progress is reported, at which memory is measured
		fmt.Fprintf(&rest, ","+row+`"}}`, n+42, n+42)
	}
	write(rest.String()+"]", 1)
	path := filepath.Join(t.TempDir(), "users.json.gz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, newSettings(t), "", "import", "django", path)
	if got.code != 1 || !regexp.MustCompile(`added +2040 `).MatchString(got.out) {
		t.Errorf("exit code %d\n%s%s", got.code, got.out, got.errs)
	}
	if got.peak == 0 || got.peak > 160<<20 {
		t.Errorf("resident memory reached %d MiB", got.peak>>20)
	}
}
