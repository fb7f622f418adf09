package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"roster/adapters/storage"
	"roster/bootstrap/config"
	"roster/test/support/testenv"
)

// A database that is down is tried again with growing pauses, each in the log, until the timeout of the start.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.WarnLevel)
		ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
		defer cancel()
		retry, begun, tries := await(t.Context(), zap.New(core)), time.Now(), 0
		err := storage.Options{Retry: retry}.Reach(ctx, func(context.Context) error { tries++; return storage.ErrAway })
		if !errors.Is(err, storage.ErrAway) || ctx.Err() != nil || time.Since(begun) < startTimeout/2 {
			t.Errorf("after %v: %v, %v", time.Since(begun), err, ctx.Err())
		}
		if inTime(err, ctx, startTimeout).Error() != err.Error() || !strings.HasPrefix(err.Error(), "gave up after 1m") {
			t.Errorf("the reason is %v", err)
		}
		if logged.Len() != tries-1 || tries < 10 || tries > 20 {
			t.Errorf("%d tries, %d lines", tries, logged.Len())
		}
	})
}

// A permanent failure ends the retries, and so does an interruption, at once.
func TestAwaitEnds(t *testing.T) {
	wrong := errors.New("wrong password")
	left := []error{storage.ErrAway, wrong}
	synctest.Test(t, func(t *testing.T) {
		err := storage.Options{Retry: await(t.Context(), zap.NewNop())}.Reach(t.Context(), func(context.Context) error {
			next := left[0]
			left = left[1:]
			return next
		})
		if !errors.Is(err, wrong) {
			t.Errorf("a permanent failure: %v", err)
		}
		ctx, interrupt := context.WithCancel(t.Context())
		begun := time.Now()
		err = storage.Options{Retry: await(ctx, zap.NewNop())}.Reach(t.Context(), func(context.Context) error { interrupt(); return storage.ErrAway })
		if !errors.Is(err, context.Canceled) || time.Since(begun) != 0 {
			t.Errorf("an interruption: %v after %v", err, time.Since(begun))
		}
	})
	if err := (storage.Options{}).Reach(t.Context(), func(context.Context) error { return storage.ErrAway }); !errors.Is(err, storage.ErrAway) {
		t.Errorf("without retries: %v", err)
	}
}

// A service that starts before its database serves once the database is up. A command does not wait. A service that is
// ended while it waits ends at once and without an error.
func TestDatabaseComesLater(t *testing.T) {
	server := testenv.NewPostgresServer(t)
	mongo := testenv.NewMongoServer(t)
	for name, c := range map[string]struct {
		url         string
		stop, start func(testing.TB)
	}{
		"postgres": {server.Database(t), server.Stop, server.Start},
		"mongodb":  {mongo.Database(), mongo.Stop, mongo.Start},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := load(t, "ROSTER_DATABASE="+c.url)
			c.stop(t)
			if _, err := Connect(t.Context(), cfg); err == nil || !strings.HasPrefix(err.Error(), "ROSTER_DATABASE: no answer from the database server") || strings.Contains(err.Error(), "\n") {
				t.Errorf("a command: %v", err)
			}
			for _, comes := range []bool{false, true} {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				waiting, serving := newSignal("the database does not answer; trying again"), newSignal(`"serving"`)
				out := NewLogOutput(both{waiting, serving})
				defer out.Close()
				done := make(chan error, 1)
				go func() { done <- Serve(ctx, cfg, Reload{}, out, nil) }()
				select {
				case <-waiting.seen:
				case err := <-done:
					t.Fatalf("the service did not wait: %v", err)
				}
				if comes {
					c.start(t)
					select {
					case <-serving.seen:
					case err := <-done:
						t.Fatalf("the service ended: %v", err)
					}
				}
				cancel()
				if err := <-done; err != nil && (comes || !errors.Is(err, context.Canceled)) {
					t.Errorf("ended, after the database came: %v: %v", comes, err)
				}
			}
		})
	}
}

// both writes to two logs.
type both [2]*signal

func (b both) Write(p []byte) (int, error) {
	_, _ = b[0].Write(p)
	return b[1].Write(p)
}

// An error has the setting, then the advice, then the driver's reason once.
func TestReasonsOfServers(t *testing.T) {
	server := testenv.NewPostgresServer(t)
	base := server.Database(t)
	run := func(base string, statements ...string) (answer string) {
		t.Helper()
		c, err := pgx.Connect(t.Context(), base)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(context.Background()) }()
		for _, s := range statements {
			if err := c.QueryRow(t.Context(), s).Scan(&answer); err != nil && !errors.Is(err, pgx.ErrNoRows) {
				t.Fatalf("%s: %v", s, err)
			}
		}
		return answer
	}
	as := func(user string, database string) string {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(user, "hunter2")
		if database != "" {
			u.Path = "/" + database
		}
		return u.String()
	}
	rules := run(base, "CREATE ROLE guest LOGIN PASSWORD 'other'", "CREATE ROLE weak LOGIN", "SHOW hba_file")
	own := run(base, "SELECT current_database()")
	text, err := os.ReadFile(rules)
	if err == nil {
		err = os.WriteFile(rules, append([]byte("local all guest scram-sha-256\n"), text...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	server.Stop(t) // so that it reads them
	server.Start(t)
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	mongo := testenv.NewMongoServer(t)
	for name, c := range map[string]struct{ url, remedy, reason string }{
		"wrong password":     {as("guest", ""), "ROSTER_DATABASE: give the user and the password that the server at /", `password authentication failed for user "guest" (SQLSTATE 28P01)`},
		"no such role":       {as("ghost", ""), "ROSTER_DATABASE: give the user and the password that the server at /", `CREATE ROLE "ghost" LOGIN PASSWORD '...';`},
		"no such database":   {as("weak", "nosuch"), "ROSTER_DATABASE: the server at /", `CREATE DATABASE "nosuch" OWNER "weak";`},
		"no right to create": {as("weak", ""), fmt.Sprintf(`ROSTER_DATABASE: make the role the owner of the database, ALTER DATABASE "%s" OWNER TO "weak";`, own), "permission denied for schema public (SQLSTATE 42501)"},
		"refused":            {"postgres://weak:hunter2@" + closed + "/x", "ROSTER_DATABASE: no answer from the database server at " + closed + ": start it, or correct host and port: postgres: ", "connect: connection refused"},
		"no such host":       {"postgres://weak:hunter2@nosuch.invalid/x", "ROSTER_DATABASE: no answer from the database server at nosuch.invalid:5432: start it", "nosuch.invalid"},
		"mongodb refused":    {"mongodb://weak:hunter2@" + closed + "/x", "ROSTER_DATABASE: no answer from the database server: start it, or correct hosts and ports: mongodb: " + closed, "connect: connection refused"},
		"mongodb user":       {strings.Replace(mongo.Database(), "://", "://weak:hunter2@", 1), "ROSTER_DATABASE: give the user and the password that the server knows", "auth error"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Migrate(t.Context(), load(t, "ROSTER_DATABASE="+c.url), func(string) {})
			if err == nil {
				t.Fatal("it was opened")
			}
			said := err.Error()
			if !strings.HasPrefix(said, c.remedy) || strings.Count(said, c.reason) != 1 && name != "no such host" || strings.Contains(said, "\n") || strings.Contains(said, "hunter2") {
				t.Errorf("got  %s\nwant %s ... %s, once", said, c.remedy, c.reason)
			}
		})
	}
	remedied := load(t, "ROSTER_DATABASE="+as("weak", ""))
	run(base, fmt.Sprintf(`ALTER DATABASE "%s" OWNER TO "weak"`, own))
	if err := Migrate(t.Context(), remedied, func(string) {}); err != nil {
		t.Errorf("after what the error says was done: %v", err)
	}
	about, err := Connect(t.Context(), remedied)
	if err != nil || !strings.HasPrefix(about, "PostgreSQL 1") || !strings.Contains(about, own) || !strings.Contains(about, "schema version ") {
		t.Errorf("connect: %q, %v", about, err)
	}
}

// The error of a directory without write permission names the setting and the operating system user.
func TestReasonsOfPlaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // where the keys' data directory would be
	for environ, want := range map[string]string{
		"ROSTER_DATA_DIR=" + file + "/data": "ROSTER_DATA_DIR: give user",
		"ROSTER_KEYS_DIR=" + file + "/keys": "ROSTER_KEYS_DIR: give user",
	} {
		cfg, err := config.Load(config.Sources{Environ: []string{"ROSTER_LISTEN=127.0.0.1:0", "ROSTER_ADMIN_LISTEN=off", "ROSTER_DATABASE=memory:", environ}})
		if err != nil {
			t.Fatal(err)
		}
		log := NewLogOutput(newSignal(""))
		err = Serve(t.Context(), cfg, Reload{}, log, nil)
		log.Close()
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", environ, err)
		}
	}
	for name, environ := range map[string]string{
		"ROSTER_TLS_CERT": "ROSTER_TLS_CERT=/nowhere/c.pem ROSTER_TLS_KEY=" + file,
		"ROSTER_TLS_KEY":  "ROSTER_TLS_KEY=/nowhere/k.pem ROSTER_TLS_CERT=" + file,
	} {
		if err := Check(t.Context(), load(t, strings.Fields("ROSTER_DATABASE=memory: "+environ)...)); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: %v", environ, err)
		}
	}
}
