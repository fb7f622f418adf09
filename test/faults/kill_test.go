package faults

import (
	"flag"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"roster/test/support/process"
	"roster/test/support/testenv"
)

func TestMain(m *testing.M) {
	flag.Parse()
	process.Main(m)
}

// clients is how many clients a ledger has at once.
const clients = 8

// databases returns, by name, the URL of a new database.
var databases = map[string]func(testing.TB) string{
	"sqlite":   func(testing.TB) string { return "sqlite:" },
	"postgres": testenv.Postgres,
	"mongodb":  testenv.MongoDB,
}

// settings are those of a service under a ledger: a repetition of a refresh is answered however slow the machine is, and
// a hash waits for its turn.
func settings(database string) map[string]string {
	return map[string]string{"ROSTER_DATABASE": database, "ROSTER_REUSE_GRACE": "1h", "ROSTER_HASH_WAIT": "1m", "ROSTER_LOCKOUT_ADDRESS_FAILURES": "0", "ROSTER_LOCKOUT_FAILURES": "0",
		"ROSTER_SIGNING_KEY": "a secret for tests of faults: 0123456789-abcdefghijklmnopqrstuvwxyz"}
}

// longer returns a number of kills: that of the short form, times FAULTS_LONGER in the long form.
func longer(t *testing.T, short int) int {
	t.Helper()
	text := os.Getenv("FAULTS_LONGER")
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n * short
}

// report logs what a ledger counted and returns what it found.
func (l *ledger) report(t *testing.T) []string {
	t.Helper()
	t.Logf("seed %d: %d accounts; %d requests acknowledged, %d refused, %d unknown; %d violations", l.seed, len(l.accounts),
		l.counts.acknowledged, l.counts.refused, l.counts.unknown, len(l.violations))
	return l.violations
}

// none fails the test for each violation.
func none(t *testing.T, violations []string) {
	t.Helper()
	for _, v := range violations {
		t.Error(v)
	}
}

// killed kills the service under load and starts it again, up to so many times or until the ledger found a violation.
func killed(t *testing.T, s *process.Server, cycles int) []string {
	t.Helper()
	l := newLedger("kill", rand.Uint64())
	l.silent = true
	random := rand.New(rand.NewPCG(l.seed, 0))
	checked := 0
	for range cycles {
		work := l.begin(s.URL, clients, 1)
		work.await(10 + random.IntN(50))
		s.Kill()
		work.wait()
		s.Restart()
		if checked = l.verify(s.URL, checked); len(l.violations) > 0 {
			return l.report(t)
		}
	}
	l.verify(s.URL, 0) // what was settled stays so
	return l.report(t)
}

// A service that is killed loses nothing that it acknowledged, on any database.
func TestKilledService(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	for name, short := range map[string]int{"sqlite": 50, "postgres": 5, "mongodb": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := process.Start(t, settings(databases[name](t)))
			none(t, killed(t, s, longer(t, short)))
		})
	}
}

// The ledger finds a service that acknowledges what it has not stored yet.
func TestKillRevealsEarlyAcknowledgment(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	s := process.StartFlawed(t, "ack_before_commit", settings(databases["sqlite"](t)))
	if violations := killed(t, s, 50); len(violations) == 0 {
		t.Error("50 kills did not reveal it")
	} else {
		t.Log(violations[0])
	}
}
