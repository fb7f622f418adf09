package faults

import (
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"roster/test/support/process"
)

// disturb lets strace do something to each fsync of a running service, until the test calls end.
func disturb(t *testing.T, s *process.Server, how string) (end func()) {
	t.Helper()
	strace := tool(t, "strace")
	const syncs = "fsync,fdatasync"
	cmd := exec.Command(strace, "-f", "-e", "trace="+syncs, "-e", "inject="+syncs+":"+how, "-o", os.DevNull, "-p", strconv.Itoa(s.Process().Pid()))
	said := &process.Log{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Signal(os.Interrupt) // it detaches
			_ = cmd.Wait()
		}
	}
	t.Cleanup(end)
	if err := said.Await("\n"); err != nil { // "attached with 9 threads", or an error
		t.Fatal(err, said)
	}
	if !strings.Contains(said.String(), "attached") {
		if !strings.Contains(said.String(), "Operation not permitted") {
			t.Fatal(said)
		}
		t.Skip("NOT TESTED: no permission (CAP_SYS_PTRACE) to trace the service: ", said)
	}
	return end
}

// slowDisk delays each fsync for a while, then lets none end, and then is well again. The ledger demands that each request is
// done, or gets 503 while no fsync ends, and that what was acknowledged is there after the end of the process.
func slowDisk(t *testing.T, defect string) []string {
	t.Helper()
	s := process.StartFlawed(t, defect, settings("sqlite:"))
	id := registered(t, s, "ann@example.com")
	token := signIn(t, s, "ann@example.com").text("access")
	l := newLedger("slow", rand.Uint64())
	slow := disturb(t, s, "delay_enter=50ms")
	work := l.begin(s.URL, clients, 1<<20)
	work.await(40)
	work.end()
	slow()

	stalled := disturb(t, s, "delay_enter=600s")
	work = l.begin(s.URL, clients, 1)
	ended := make(chan struct{})
	go func() {
		work.wait()
		close(ended)
	}()
	// Every request ends within request_timeout, 15 s. A read does not wait for the writes, which all end after that time: a read
	// that waits for one of them is answered too, if it began later than the write.
	again, overdue := time.NewTicker(50*time.Millisecond), time.After(bound/2)
	defer again.Stop()
	for waiting := true; waiting && !l.violated(); {
		select {
		case <-ended:
			waiting = false
		case <-overdue:
			l.violate("after %v, requests have no answer while no fsync ends", bound/2)
		case <-again.C:
			begun := time.Now()
			if a := ask(s.URL, "GET", "/api/users/"+id+"/", token, nil); a.status != http.StatusOK {
				l.violate("read while no write ends: %v, status %d: %s", a.err, a.status, a.raw)
			} else if took := time.Since(begun); took > bound/6 {
				l.violate("read while no write ends: answered after %v", took)
			}
		}
	}
	stalled()
	work.end()
	if l.violated() {
		return l.report(t)
	}
	return l.afterwards(t, s)
}

// afterwards demands that the service works once the disk does, and has what it acknowledged, also when it is killed.
func (l *ledger) afterwards(t *testing.T, s *process.Server) []string {
	t.Helper()
	eventually(t, "a write succeeds", func() bool {
		a := ask(s.URL, "POST", "/api/users/", "", form("late@example.com"))
		return a.status == http.StatusCreated || a.status == http.StatusBadRequest // that of a request without an answer
	})
	work := l.begin(s.URL, clients, 1)
	work.await(40)
	work.end()
	s.Kill()
	s.Restart()
	l.verify(s.URL, 0)
	return l.report(t)
}

// While the disk is slow, or does nothing at all, requests end in bounded time, and reads are served.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	none(t, slowDisk(t, ""))
}

// The same test finds a service whose writes have no deadline, and one whose reads wait for writes.
func TestSlowDiskRevealsDefects(t *testing.T) {
	t.Parallel()
	for _, defect := range []string{"no_deadline", "reads_wait"} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			found(t, func() []string { return slowDisk(t, defect) })
		})
	}
}

// failingDisk lets each fsync fail for a while.
func failingDisk(t *testing.T, defect string) []string {
	t.Helper()
	s := process.StartFlawed(t, defect, settings("sqlite:"))
	id := registered(t, s, "ann@example.com")
	token := signIn(t, s, "ann@example.com").text("access")
	l := newLedger("failing", rand.Uint64())
	work := l.begin(s.URL, clients, 2)
	work.await(40)
	failing := disturb(t, s, "error=EIO")
	if defect != "" { // its clients notice nothing
		work.await(200)
		work.end()
	}
	work.wait()
	before := l.counts.acknowledged
	work = l.begin(s.URL, clients, 1)
	work.await(1)
	work.end()
	if n := l.counts.acknowledged - before; n > 0 {
		l.violate("%d requests were acknowledged while no fsync succeeded", n)
	}
	if a := ask(s.URL, "GET", "/api/users/"+id+"/", token, nil); a.status != http.StatusOK {
		l.violate("read while no fsync succeeds: %v, status %d: %s", a.err, a.status, a.raw)
	}
	failing()
	return l.afterwards(t, s)
}

// While fsync fails, no write is acknowledged, and reads are served. Once it succeeds the service works, without a restart.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	none(t, failingDisk(t, ""))
}

// The same test finds a service that acknowledges what it could not store.
func TestFailingDiskRevealsSwallowedErrors(t *testing.T) {
	t.Parallel()
	found(t, func() []string { return failingDisk(t, "swallow_errors") })
}
