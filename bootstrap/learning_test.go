package bootstrap

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"roster/adapters/password"
	"roster/adapters/storage/memory"
	"roster/domain/credential"
	"roster/domain/user"
	"roster/ports/outbound"
)

// plant stores users who joined a minute apart, with the hash that is given for some.
func plant(t *testing.T, n int, hashes map[int]string) outbound.Users {
	t.Helper()
	store := memory.New()
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		encoded, ok := hashes[i]
		if !ok {
			encoded = "!"
		}
		email := fmt.Sprintf("user%d@example.com", i)
		u, err := user.Restore(user.Snapshot{
			ID: user.ID(fmt.Sprintf("00000000-0000-7000-8000-%012x", n-i)), Email: email, EmailKey: email, Active: true,
			Password: credential.RestoreHash(encoded), Joined: time.Unix(int64(i)*60, 0).UTC(), Version: 1,
		})
		if err == nil {
			err = store.Users().Add(t.Context(), u)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return store.Users()
}

func pbkdf2(iterations int) string {
	return fmt.Sprintf("pbkdf2_sha256$%d$salt$%s=", iterations, strings.Repeat("A", 43))
}

func TestSampleFindsWhatCameFirstAndLast(t *testing.T) {
	for name, c := range map[string]struct {
		hashes map[int]string
		want   string
	}{
		"first":             {map[int]string{0: pbkdf2(500)}, "pbkdf2_sha256 (iterations): 500"},
		"last":              {map[int]string{999: pbkdf2(501)}, "pbkdf2_sha256 (iterations): 501"},
		"dearest":           {map[int]string{1: pbkdf2(7), 299: pbkdf2(9), 998: pbkdf2(8)}, "pbkdf2_sha256 (iterations): 9"},
		"of every scheme":   {map[int]string{3: pbkdf2(7), 700: "bcrypt$$2b$12$zK8U.VG2vpPvhDTvf92Ese4HOyEdoRcKw.a3UP/Vd5hVPXabcdefg"}, "pbkdf2_sha256 (iterations): 7, bcrypt (rounds): 4096"},
		"in the middle":     {map[int]string{500: pbkdf2(500)}, ""},
		"none":              {nil, ""},
		"none that is read": {map[int]string{0: pbkdf2(10_000_001), 1: "md5$x$y"}, ""},
	} {
		users := plant(t, 1000, c.hashes)
		h := password.New(password.Options{})
		more, err := sample(t.Context(), users, h)
		if err != nil || more != (c.want != "") || h.Ceiling() != c.want {
			t.Errorf("%s: more %t, %q, %v", name, more, h.Ceiling(), err)
		}
		if more, err := sample(t.Context(), users, h); more || err != nil {
			t.Errorf("%s, again: more %t, %v", name, more, err)
		}
	}
}

func TestServiceLearnsFromItsUsers(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	learned := make(chan struct{})
	log := zap.New(core, zap.Hooks(hookFor("refused sign-ins cost", learned)))
	users := plant(t, 3, map[int]string{1: pbkdf2(4242)})
	app := fxtest.New(t, New(load(t, "ROSTER_DATABASE=memory:"), log), fx.Decorate(func(outbound.Users) outbound.Users { return users }))
	app.RequireStart()
	<-learned
	app.RequireStop()
	if got := fmt.Sprint(logs.FilterMessageSnippet("refused sign-ins cost").All()[0].ContextMap()); !strings.Contains(got, "4242") || strings.Contains(got, "AAAA") {
		t.Errorf("logged: %s", got)
	}
}

func TestImportedHashIsKnownBeforehand(t *testing.T) {
	cfg := load(t, "ROSTER_IMPORTED_HASH=pbkdf2_sha256:600000, bcrypt:12")
	h, err := hasher(cfg)
	if err != nil || h.Ceiling() != "pbkdf2_sha256 (iterations): 600000, bcrypt (rounds): 4096" {
		t.Errorf("%v, %v", h, err)
	}
	for _, bad := range []string{"pbkdf2_sha256:99999999999", "md5:1", "bcrypt:99"} {
		cfg.ImportedHash = bad
		if err := Check(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "ROSTER_IMPORTED_HASH") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// hookFor closes seen when a line that begins so is logged for the first time.
func hookFor(message string, seen chan struct{}) func(zapcore.Entry) error {
	var once sync.Once
	return func(e zapcore.Entry) error {
		if strings.HasPrefix(e.Message, message) {
			once.Do(func() { close(seen) })
		}
		return nil
	}
}
