package transfer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roster/test/support/process"
	"roster/test/support/testenv"
)

// account is a user of the real export with the password.
type account struct {
	ID        int     `json:"id"`
	Email     string  `json:"email"`
	Password  *string `json:"password"`
	Algorithm string  `json:"algorithm"`
	Encoded   string  `json:"encoded"`
	Status    struct {
		All int `json:"all_hashers"`
	} `json:"login_status"`
}

// status returns the status of a sign-in in Django, with all of its hashers. Broken hashes are refused, where Django
// fails.
func (a account) status() int {
	if a.Status.All >= http.StatusInternalServerError {
		return http.StatusUnauthorized
	}
	return a.Status.All
}

func accounts(t *testing.T) []account {
	t.Helper()
	var file struct{ Users []account }
	readJSON(t, "../../adapters/password/testdata/passwords.json", &file)
	if len(file.Users) != 51 {
		t.Fatalf("%d accounts", len(file.Users))
	}
	return file.Users
}

// fixtureUser is a user in the form of the export.
type fixtureUser struct {
	PK     int            `json:"pk"`
	Fields map[string]any `json:"fields"`
}

// answers returns Django's answer about a user: dates have six digits of a second, or none. Those of the fixture are
// truncated to milliseconds.
func (f fixtureUser) answers(fraction string) map[string]any {
	date := func(v any) any {
		text, ok := v.(string)
		if !ok {
			return nil
		}
		return strings.Replace(text, ".123Z", fraction, 1)
	}
	return map[string]any{
		"id": json.Number(fmt.Sprint(f.PK)), "email": f.Fields["email"], "first_name": f.Fields["first_name"], "last_name": f.Fields["last_name"],
		"is_active": f.Fields["is_active"], "is_staff": f.Fields["is_staff"], "date_joined": date(f.Fields["date_joined"]), "last_login": date(f.Fields["last_login"]),
	}
}

// All users of a real project are imported, are shown as in Django, and sign in with their passwords.
func TestAllUsersOfTheExport(t *testing.T) {
	s := process.Prepare(t, djangoSettings())
	s.MustCLI("import", "django", source(t, "users.json"))
	s.Restart()
	shownAsInDjango(t, s, ".123000Z")
	for _, a := range accounts(t) {
		password := "never-had-one"
		if a.Password != nil {
			password = *a.Password
		}
		status, _ := request(t, s, "POST", "/api/token/", "", map[string]string{"email": a.Email, "password": password})
		if status != a.status() {
			t.Errorf("%s (%s): status %d, want %d", a.Email, a.Algorithm, status, a.status())
		}
	}
	status, got := request(t, s, "POST", "/api/users/", "", map[string]string{"email": "new@example.com", "password": "Zx9-lantern-orchard", "first_name": "A", "last_name": "B"})
	if status != http.StatusCreated || got["id"] != json.Number("52") {
		t.Errorf("a new user: %d %v", status, got)
	}
	// A second import changes nothing, whether users have signed in or not.
	before := s.MustCLI("user", "list", "--format", "json")
	s.MustCLI("import", "django", source(t, "users.json"))
	if after := s.MustCLI("user", "list", "--format", "json"); after != before {
		t.Errorf("another import made of\n%s\nthis:\n%s", before, after)
	}
}

// shownAsInDjango compares the answers about all users with Django's.
func shownAsInDjango(t *testing.T, s *process.Server, fraction string) {
	t.Helper()
	var users []fixtureUser
	readJSON(t, source(t, "users.json"), &users)
	access := tokenNamed(t, "access")
	for _, u := range users {
		status, got := request(t, s, "GET", fmt.Sprintf("/api/users/%d/", u.PK), access, nil)
		if want := u.answers(fraction); status != http.StatusOK || !maps.Equal(got, want) {
			t.Errorf("status %d\n%v\nwant\n%v", status, got, want)
		}
	}
}

// A database has microseconds, and so have all backends.
func TestDatesOfTheDatabase(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return newSettings(t)["ROSTER_DATABASE"] }, "postgres": testenv.Postgres, "mongodb": testenv.MongoDB,
	} {
		t.Run(name, func(t *testing.T) {
			settings := djangoSettings()
			settings["ROSTER_DATABASE"] = url(t)
			s := process.Prepare(t, settings)
			s.MustCLI("import", "django", source(t, "db.sqlite3"))
			s.Restart()
			shownAsInDjango(t, s, ".123456Z")
			s.MustCLI("import", "django", source(t, "users.json")) // truncated to milliseconds
			shownAsInDjango(t, s, ".123456Z")
		})
	}
}

// token is a token that SimpleJWT issued.
type token struct {
	Name, Kind, Email, Token string
	Claims                   struct {
		UserID any `json:"user_id"`
	}
	Expect any
}

func tokens(t *testing.T) []token {
	t.Helper()
	var file struct{ Tokens []token }
	readJSON(t, "../../adapters/jwt/testdata/tokens.json", &file)
	if len(file.Tokens) != 15 {
		t.Fatalf("%d tokens", len(file.Tokens))
	}
	return file.Tokens
}

func tokenNamed(t *testing.T, name string) string {
	t.Helper()
	all := tokens(t)
	i := slices.IndexFunc(all, func(k token) bool { return k.Name == name })
	if i < 0 {
		t.Fatalf("no token %s", name)
	}
	return all[i].Token
}

// Tokens of SimpleJWT are accepted or refused as with Django, the blacklist included.
func TestTokensOfTheExport(t *testing.T) {
	for _, form := range []string{"full.json", "db.sqlite3"} {
		t.Run(form, func(t *testing.T) {
			s := process.Prepare(t, djangoSettings())
			s.MustCLI("import", "django", source(t, form), "--blacklist")
			s.Restart()
			for _, k := range tokens(t) {
				var status int
				if k.Kind == "refresh" {
					status, _ = request(t, s, "POST", "/api/token/refresh/", "", map[string]string{"refresh": k.Token})
				} else {
					status, _ = request(t, s, "GET", fmt.Sprintf("/api/users/%v/", k.Claims.UserID), k.Token, nil)
				}
				want, several := k.Expect.([]any)
				if !several {
					want = []any{k.Expect}
				}
				if !slices.Contains(want, any(float64(status))) {
					t.Errorf("%s: status %d, want %v", k.Name, status, k.Expect)
				}
			}
			// User 52 was deleted in Django, and tokens of this user still exist: the id is not given to a new user.
			_, got := request(t, s, "POST", "/api/users/", "", map[string]string{"email": "new@example.com", "password": "Zx9-lantern-orchard", "first_name": "A", "last_name": "B"})
			if got["id"] != json.Number("53") {
				t.Errorf("a new user has the id %v, want 53", got["id"])
			}
		})
	}
}

// userLines returns the lines of users of an export of Roster.
func userLines(t *testing.T, env map[string]string) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(must(t, env, "export", "-").out) {
		if strings.HasPrefix(line, `{"kind":"user"`) {
			out = append(out, line)
		}
	}
	return out
}

// Every form of the export has the same users.
func TestFormsOfTheExport(t *testing.T) {
	var want []string
	for _, form := range []string{"users.json", "users.jsonl", "full.json", "db.sqlite3", "users-natural.json"} {
		env := newSettings(t)
		env["ROSTER_IDS"] = "integer"
		must(t, env, "migrate")
		must(t, env, "import", "django", source(t, form), "--dry-run")
		if got := userLines(t, env); len(got) != 0 {
			t.Errorf("%s: a dry run stored %d users", form, len(got))
		}
		must(t, env, "import", "django", source(t, form))
		got := userLines(t, env)
		for i := range got { // the precision of the fixtures
			got[i] = strings.ReplaceAll(got[i], ".123456Z", ".123000Z")
		}
		if want == nil {
			want = got
		}
		if len(got) != 51 || !slices.Equal(got, want) {
			t.Errorf("%s: %d users, not those of users.json", form, len(got))
		}
	}
}

// A rejected row is reported with its reason, and is imported once it was corrected.
func TestCorrectedRejectsAreImported(t *testing.T) {
	env, dir := newSettings(t), t.TempDir()
	rejects, report := filepath.Join(dir, "rejects.jsonl"), filepath.Join(dir, "report.jsonl")
	args := func(src string) []string {
		return []string{"import", "django", src, "--rejects", rejects, "--report", report}
	}
	c := run(t, env, "", args(source(t, "users-case-conflict.json"))...)
	if c.code != 1 || !strings.Contains(c.errs, "2 of the users did not go in") {
		t.Fatalf("exit code %d\n%s%s", c.code, c.out, c.errs)
	}
	reported, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(reported)), "\n") {
		var l struct {
			ID              int
			Outcome, Reason string
			Other           string `json:"other_id"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.ID != i+2 || l.Outcome != "rejected" || l.Reason != "duplicate_email" || l.Other != "1" {
			t.Errorf("%v: %s", err, line)
		}
	}
	text, err := os.ReadFile(rejects)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(reported)+c.out+c.errs, "pbkdf2") || !strings.Contains(string(text), "pbkdf2") {
		t.Error("the hashes are in the output, or are missing in the file of rejects")
	}
	for _, path := range []string{rejects, report} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	text = bytes.Replace(text, []byte("twin@example.com"), []byte("twin2@example.com"), 1)
	if err := os.WriteFile(rejects, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if c = run(t, env, "", args(rejects)...); c.code != 1 { // one of the two was corrected
		t.Errorf("exit code %d\n%s%s", c.code, c.out, c.errs)
	}
	text, err = os.ReadFile(rejects)
	if err != nil || bytes.Count(text, []byte("\n")) != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	text = bytes.Replace(text, []byte("TWIN@example.com"), []byte("twin3@example.com"), 1)
	if err := os.WriteFile(rejects, text, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, env, args(rejects)...)
	if got := userLines(t, env); len(got) != 3 {
		t.Errorf("%d users", len(got))
	}
}

// A hash that costs far more than those of this service is rejected without --accept-costly-hashes. With it the
// user can sign in, and refusals of other users take as long as before.
func TestCostlyHashes(t *testing.T) {
	s, dir := process.Prepare(t, djangoSettings()), t.TempDir()
	fixture := filepath.Join(dir, "users.json")
	row := func(pk int, email, hash string) string {
		return fmt.Sprintf(`{"model": "auth.user", "pk": %d, "fields": {"password": %q, "last_login": null, "username": "u", "email": %q, "first_name": "A",
			"last_name": "B", "is_active": true, "is_staff": false, "date_joined": "2020-01-01T00:00:00Z"}}`, pk, hash, email)
	}
	key := strings.Repeat("A", 43)
	text := "[" + strings.Join([]string{
		row(1, "ann@example.com", "pbkdf2_sha256$1500000$salt$"+key+"="),
		row(2, "big@example.com", "argon2$argon2id$v=19$m=1048576,t=32,p=1$c29tZXNhbHRzb21lc2FsdA$"+key),
		row(3, "slow@example.com", "bcrypt$$2b$13$zK8U.VG2vpPvhDTvf92Ese4HOyEdoRcKw.a3UP/Vd5hVPXabcdefg"),
		// "lantern" with 17 passes over 32 MiB: 14 times the work
		row(4, "cyd@example.com", "argon2$argon2id$v=19$m=32768,t=17,p=1$c29tZXNhbHRzb21lc2FsdA$3mGP2xGfZ5a59J45XjOUm6Hj7qW4aBS43JG/r/HfttI"),
	}, ",") + "]"
	if err := os.WriteFile(fixture, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(dir, "report.jsonl")
	args := []string{"import", "django", fixture, "--rejects", filepath.Join(dir, "rejects.jsonl"), "--report", report}
	if _, errs, code := s.CLI(args...); code != 1 || !strings.Contains(errs, "3 of the users did not go in") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	reported, err := os.ReadFile(report)
	if err != nil || strings.Count(string(reported), `"costly_password_hash"`) != 3 || !strings.Contains(string(reported), "862 times the work of a password set here and 1024 MiB") {
		t.Errorf("%v\n%s", err, reported)
	}
	s.MustCLI(append(args, "--accept-costly-hashes")...)
	s.Restart()
	for email, want := range map[string]int{"unknown@example.com": 401, "ann@example.com": 401, "cyd@example.com": 200} {
		if status, got := request(t, s, "POST", "/api/token/", "", map[string]string{"email": email, "password": "lantern"}); status != want {
			t.Errorf("%s: status %d %v", email, status, got)
		}
	}
}
