package bootstrap

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"roster/domain/credential"
)

const leaked = "Leaked-long-ago-with-4711"

// register starts the service with the setting and registers a user with the leaked password.
func register(t *testing.T, setting string, log *zap.Logger) *httptest.ResponseRecorder {
	t.Helper()
	var h http.Handler
	app := fxtest.New(t, New(t.Context(), load(t, "ROSTER_DATABASE=memory:", "ROSTER_BREACHED_PASSWORDS="+setting), log), fx.Populate(&h))
	app.RequireStart()
	defer app.RequireStop()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/users/", strings.NewReader(`{"email":"ann@example.com","password":"`+leaked+`","first_name":"Ann","last_name":"Lee"}`))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	return w
}

func TestBreachedPasswordsOverTheAPI(t *testing.T) {
	hash := fmt.Sprintf("%X", sha1.Sum([]byte(leaked)))
	var asked int
	answers := map[string]http.HandlerFunc{
		"breached": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, hash[5:]+":7\r\n") },
		"unknown":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("0", 35)+":7\r\n") },
		"failing":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"garbage":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
	}
	for name, c := range map[string]struct{ status, warnings int }{
		"breached": {400, 0}, "unknown": {201, 0}, "failing": {201, 1}, "garbage": {201, 1},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++; answers[name](w, r) }))
		core, logs := observer.New(zap.DebugLevel)
		w := register(t, s.URL, zap.New(core))
		s.Close()
		if w.Code != c.status || c.status == 400 && w.Body.String() != `{"password":["This password has appeared in a data breach. Choose another one."]}` {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if n := logs.FilterMessage("a new password was not checked against breaches").Len(); n != c.warnings {
			t.Errorf("%s: %d warnings", name, n)
		}
		for _, line := range logs.All() {
			text := strings.ToUpper(fmt.Sprint(line.Message, line.ContextMap()))
			for _, secret := range []string{leaked, hash, hash[5:], "RANGE/" + hash[:5]} {
				if strings.Contains(text, strings.ToUpper(secret)) {
					t.Errorf("%s: the log holds %q: %s", name, secret, text)
				}
			}
		}
	}
	if asked != len(answers) {
		t.Errorf("asked %d times", asked)
	}

	file := filepath.Join(t.TempDir(), "hashes.txt")
	if err := os.WriteFile(file, []byte(hash+":7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if w := register(t, file, zap.NewNop()); w.Code != 400 {
		t.Errorf("with a file: %d %s", w.Code, w.Body)
	}
	if w := register(t, "off", zap.NewNop()); w.Code != 201 {
		t.Errorf("without: %d %s", w.Code, w.Body)
	}
}

func TestBreachedPasswordsWithoutTheirFile(t *testing.T) {
	cfg := load(t, "ROSTER_DATABASE=memory:", "ROSTER_BREACHED_PASSWORDS="+filepath.Join(t.TempDir(), "none.txt"))
	if err := Check(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "ROSTER_BREACHED_PASSWORDS: open") {
		t.Errorf("check: %v", err)
	}
	if err := fx.New(New(t.Context(), cfg, zap.NewNop())).Err(); err == nil || !strings.Contains(err.Error(), "ROSTER_BREACHED_PASSWORDS") {
		t.Errorf("start: %v", err)
	}
}

// failing is a check that fails.
type failing struct{}

func (failing) Breached(context.Context, credential.Password) (bool, error) {
	return true, errors.New("away")
}

func TestOnlyTheEndOfTheRequestIsAFailure(t *testing.T) {
	f := forgiving{failing{}, zap.NewNop()}
	if found, err := f.Breached(t.Context(), credential.NewPassword(leaked)); found || err != nil {
		t.Errorf("away: %t, %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Breached(ctx, credential.NewPassword(leaked)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the request: %v", err)
	}
}
