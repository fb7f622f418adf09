package bootstrap

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"roster/adapters/storage"
	"roster/bootstrap/config"
	"roster/ports/inbound"
	"roster/test/support/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t testing.TB, environ ...string) config.Config {
	t.Helper()
	cfg, err := config.Load(config.Sources{Environ: append([]string{
		"ROSTER_DATA_DIR=" + t.TempDir(), "ROSTER_LISTEN=127.0.0.1:0", "ROSTER_ADMIN_LISTEN=127.0.0.1:0",
	}, environ...)})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestGraphIsCompleteForEveryBackend(t *testing.T) {
	for _, d := range drivers {
		if err := fx.ValidateApp(New(t.Context(), load(t, "ROSTER_DATABASE="+d.Scheme+":"), zap.NewNop())); err != nil {
			t.Errorf("%s: %v", d.Scheme, err)
		}
	}
}

// Every form of URL that the settings accept is accepted by its driver.
func TestURLsAreOpened(t *testing.T) {
	for _, database := range []string{
		"mongodb://h1:27017,h2", "mongodb://u:p%40@h1:27017,h2,h3:3/d?replicaSet=r", "mongodb://u:p@[::1]:1,[2001:db8::2]/d",
		"mongodb://%2Frun%2Fmongodb-27017.sock/d", "mongodb+srv://u:p@cluster.example.com/d",
		"postgres://u:p@h1:5433,h2/d?pool_max_conns=2", "postgresql://u:p@[::1]:5433,[::2]/d", "postgres://u:p?#@%2Frun%2Fpostgresql/d",
		"postgres:///d?host=/run/postgresql&user=a@b", "sqlite:", "sqlite:///data/a@b.db", "memory:",
	} {
		b, err := openBackend(load(t, "ROSTER_DATABASE="+database), zap.NewNop(), storage.Options{}, telemetered{})
		if err != nil {
			t.Errorf("%s: %v", database, err)
			continue
		}
		if err := b.Close(t.Context()); err != nil {
			t.Errorf("%s: Close: %v", database, err)
		}
	}
}

// ValidateApp runs no constructor, so the service is started too, under every profile.
func TestStartsServesAndStops(t *testing.T) {
	for _, database := range []string{"memory:", "sqlite:"} {
		for _, profile := range []string{"django", "standard", "strict"} {
			t.Run(database+profile, func(t *testing.T) {
				environ := []string{"ROSTER_DATABASE=" + database, "ROSTER_PROFILE=" + profile}
				if profile == "django" {
					environ = append(environ, "ROSTER_SIGNING_KEY=0123456789-abcdefghijklmnopqrstuvwxyz")
				}
				var (
					h      http.Handler
					health inbound.Health
				)
				app := fxtest.New(t, New(t.Context(), load(t, environ...), zap.NewNop()), fx.Populate(&h, &health))
				app.RequireStart()
				if err := health.Ready(t.Context()); err != nil {
					t.Errorf("not ready: %v", err)
				}
				app.RequireStop()
				if err := health.Ready(t.Context()); err == nil {
					t.Error("ready after the stop")
				}
			})
		}
	}
}

func TestStartFailsWithTheReason(t *testing.T) {
	busy, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	for name, c := range map[string]struct{ environ, want string }{
		"unknown backend":     {"ROSTER_DATABASE=nosuch://x", `no backend for "nosuch"`},
		"address in use":      {"ROSTER_LISTEN=" + busy.Addr().String(), "ROSTER_LISTEN: cannot listen on " + busy.Addr().String() + ": address already in use; another program"},
		"admin address taken": {"ROSTER_ADMIN_LISTEN=" + busy.Addr().String(), "ROSTER_ADMIN_LISTEN: cannot listen on " + busy.Addr().String() + ": address already in use; another program"},
		"no database there":   {"ROSTER_DATABASE=sqlite:/proc/nowhere/x.db", "/proc/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			log := NewLogOutput(io.Discard)
			defer log.Close()
			err := Serve(t.Context(), load(t, c.environ), Reload{}, log, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
		})
	}
}

func TestServeEndsCleanlyWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	log := newSignal("serving")
	out := NewLogOutput(log)
	defer out.Close()
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, load(t), Reload{}, out, nil) }()
	<-log.seen
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestMigrateReportsWhatItBuilds migrates a new MongoDB database, and one that is up to date.
func TestMigrateReportsWhatItBuilds(t *testing.T) {
	cfg := load(t, "ROSTER_DATABASE="+testenv.MongoDB(t))
	var log strings.Builder
	notice := func(text string) { log.WriteString(text + "\n") }
	if err := Migrate(t.Context(), cfg, notice); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "joined_us") || !strings.Contains(log.String(), "of users") {
		t.Errorf("the log says %q, want the indexes of users", log.String())
	}
	log.Reset()
	if err := Migrate(t.Context(), cfg, notice); err != nil || strings.Contains(log.String(), "of users") {
		t.Errorf("with all there: %v, the log says %q", err, log.String())
	}
}

// The error of a start that takes too long names the command without this timeout.
func TestStartThatTakesTooLong(t *testing.T) {
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	err := inTime(context.DeadlineExceeded, late, startTimeout)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "after 2m0s") || !strings.Contains(err.Error(), "roster migrate") {
		t.Errorf("got %v", err)
	}
	if other := errors.New("other"); !errors.Is(inTime(other, t.Context(), startTimeout), other) || inTime(other, t.Context(), startTimeout).Error() != "other" {
		t.Error("another failure is reported otherwise")
	}
}

// signal is a log that closes seen when a word was written.
type signal struct {
	word string
	seen chan struct{}
	done bool
}

func newSignal(word string) *signal { return &signal{word: word, seen: make(chan struct{})} }

func (s *signal) Write(p []byte) (int, error) { // zap writes one line at a time
	if !s.done && strings.Contains(string(p), s.word) {
		s.done = true
		close(s.seen)
	}
	return len(p), nil
}

func TestCommandLog(t *testing.T) {
	core, logged := observer.New(zap.DebugLevel)
	commandLog(zap.New(core))("find", time.Second, true)
	want := map[string]any{"command": "find", "took": time.Second, "failed": true}
	if all := logged.All(); len(all) != 1 || all[0].Level != zap.DebugLevel || !reflect.DeepEqual(all[0].ContextMap(), want) {
		t.Errorf("logged %v, want %v at debug", all, want)
	}
	core, _ = observer.New(zap.InfoLevel)
	if commandLog(zap.New(core)) != nil {
		t.Error("commands are observed although they are not logged")
	}
}
