package faults

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"roster/test/support/process"
	"roster/test/support/testenv"
)

// server is a database server of one test, and a proxy before it.
type server struct {
	url                        string // through the proxy
	stop, start, pause, resume func()
	proxy                      *proxy
}

var servers = map[string]func(*testing.T) server{
	"postgres": func(t *testing.T) server {
		s := testenv.NewPostgresServer(t)
		u, err := url.Parse(s.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		p := newProxy(t, "unix", filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"))
		u.Host, u.RawQuery = p.listener.Addr().String(), "sslmode=disable"
		return server{u.String(), func() { s.Stop(t) }, func() { s.Start(t) }, func() { s.Pause(t) }, func() { s.Resume(t) }, p}
	},
	"mongodb": func(t *testing.T) server {
		s := testenv.NewMongoServer(t)
		u, err := url.Parse(s.Database())
		if err != nil {
			t.Fatal(err)
		}
		p := newProxy(t, "tcp", u.Host)
		u.Host = p.listener.Addr().String()
		return server{u.String(), func() { s.Stop(t) }, func() { s.Start(t) }, func() { s.Pause(t) }, func() { s.Resume(t) }, p}
	},
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	overdue := time.After(2 * bound)
	for !holds() {
		select {
		case <-again.C:
		case <-overdue:
			t.Fatalf("not within %v: %s", 2*bound, what)
		}
	}
}

func ready(service string) bool {
	return ask(service, "GET", "/readyz", "", nil).status == http.StatusOK
}

// outage brings one outage upon the database under load and lets it come back. The ledger demands 503 with Retry-After for
// every request that was not done, and that what was acknowledged before, during and after the outage is there.
func outage(t *testing.T, s *process.Server, away, back func()) []string {
	t.Helper()
	l := newLedger("outage", rand.Uint64())
	work := l.begin(s.URL, clients, 2)
	work.await(40)
	away()
	work.wait()
	if a := ask(s.URL, "GET", "/readyz", "", nil); a.status != http.StatusServiceUnavailable {
		l.violate("readyz without the database: %v, status %d", a.err, a.status)
	}
	if a := ask(s.URL, "GET", "/livez", "", nil); a.status != http.StatusOK {
		l.violate("livez without the database: %v, status %d", a.err, a.status)
	}
	back()
	eventually(t, "the service is ready once the database is back", func() bool { return ready(s.URL) })
	work = l.begin(s.URL, clients, 1)
	work.await(40)
	work.end()
	if len(l.violations) == 0 {
		l.verify(s.URL, 0)
	}
	return l.report(t)
}

// While the database is stopped or does not answer, every request gets 503 in bounded time. When it is back the service
// works, without a restart, and has what it acknowledged.
func TestDatabaseIsAway(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	for name, launch := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := launch(t)
			s := process.Start(t, settings(d.url))
			none(t, outage(t, s, d.stop, d.start))
			none(t, outage(t, s, d.pause, d.resume))
		})
	}
}

// The ledger finds a service that acknowledges what a database that is away did not store, and one that answers nothing
// while the database is paused.
func TestOutageRevealsDefects(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	t.Run("swallow_errors", func(t *testing.T) {
		t.Parallel()
		d := servers["postgres"](t)
		found(t, func() []string {
			return outage(t, process.StartFlawed(t, "swallow_errors", settings(d.url)), d.stop, d.start)
		})
	})
	t.Run("no_deadline", func(t *testing.T) {
		t.Parallel()
		d := servers["postgres"](t)
		env := settings(d.url)
		env["ROSTER_REQUEST_TIMEOUT"] = "1s"
		s := process.StartFlawed(t, "no_deadline", env)
		id := registered(t, s, "ann@example.com")
		token := signIn(t, s, "ann@example.com").text("access")
		d.pause()
		answered := make(chan answer, 1)
		go func() { answered <- ask(s.URL, "GET", "/api/users/"+id+"/", token, nil) }()
		// A service without this defect answers at its request_timeout.
		select {
		case a := <-answered:
			t.Errorf("the service answered: %v, status %d", a.err, a.status)
			d.resume()
		case <-time.After(8 * time.Second):
			d.resume()
			if a := <-answered; a.status != http.StatusOK {
				t.Errorf("once the database is back: %v, status %d", a.err, a.status)
			}
		}
	})
}

// found fails unless one of five runs of a service with a defect has violations. The defect shows only in a request that the
// fault meets at the right time, which one run can lack.
func found(t *testing.T, run func() []string) {
	t.Helper()
	for range 5 {
		if violations := run(); len(violations) > 0 {
			t.Log(violations[0])
			return
		}
	}
	t.Error("the defect was not found")
}

// cuts ends all connections to the database under load, again and again, and then loses the answers to commits.
func cuts(t *testing.T, s *process.Server, d server) []string {
	t.Helper()
	l := newLedger("cut", rand.Uint64())
	work := l.begin(s.URL, clients, 1<<20)
	for range 8 {
		work.await(20)
		d.proxy.cut()
	}
	work.end()
	// A registration and a change of a password send the hash together with the commit. The service does not learn that
	// they are stored.
	const hash = "argon2id"
	for range 5 {
		d.proxy.cutAnswers(hash, 1)
		work = l.begin(s.URL, clients, 1)
		work.await(30)
		work.end()
		if d.proxy.left() > 0 {
			t.Error("no answer was cut")
		}
	}
	eventually(t, "the service is ready", func() bool { return ready(s.URL) })
	l.verify(s.URL, 0)
	return l.report(t)
}

// A connection that is cut, even between a commit and its answer, costs at most a 503: a write is never done twice, and none
// that was acknowledged is lost.
func TestConnectionsAreCut(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	for name, launch := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := launch(t)
			none(t, cuts(t, process.Start(t, settings(d.url)), d))
		})
	}
}

// The ledger finds a service that does a write again whose outcome it does not know.
func TestCutRevealsBlindRetry(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	d := servers["postgres"](t)
	found(t, func() []string { return cuts(t, process.StartFlawed(t, "retry_blindly", settings(d.url)), d) })
}

func registered(t *testing.T, s *process.Server, email string) string {
	t.Helper()
	a := ask(s.URL, "POST", "/api/users/", "", form(email))
	if a.status != http.StatusCreated {
		t.Fatalf("register %s: %v, status %d: %s", email, a.err, a.status, a.raw)
	}
	return a.text("id")
}
