package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"roster/test/support/process"
)

func TestMain(m *testing.M) { process.Main(m) }

// A run as short as possible measures every operation, and its report and picture have them.
func TestShortRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: the benchmark reads CPU times from /proc")
	}
	folder := t.TempDir()
	for name, value := range map[string]string{
		"USERS": "1000", "ROUNDS": "1", "SECONDS": "0.05", "CLIENTS": "8", "BENCH_DIR": folder, "REPORT": folder, "ONLY": "", "DATABASE": "",
	} {
		t.Setenv(name, value)
	}
	if err := measure(); err != nil {
		t.Fatal(err)
	}
	text, picture := outputs(folder)
	for _, path := range []string{text, picture} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range new(bench).operations("") {
			hashes := o.name == "sign in" || o.name == "register" // which the picture leaves out
			if !strings.Contains(string(content), o.name) && (path == text || !hashes) {
				t.Errorf("%s does not have %q", filepath.Base(path), o.name)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(folder, "run-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the run left %q (%v)", left, err)
	}
	if kept, err := filepath.Glob(filepath.Join(folder, "seeded-*", "roster.db")); err != nil || len(kept) != 1 {
		t.Errorf("seeded databases kept: %q (%v), want one", kept, err)
	}
}

// Requests that are sent late, because others were still under way, are as slow as their clients see them.
func TestLatenciesCountFromTheSchedule(t *testing.T) {
	begin := time.Now()
	at := func(seq uint64, sent, took time.Duration) vegeta.Result {
		return vegeta.Result{Seq: seq, Timestamp: begin.Add(sent), Latency: took}
	}
	// Ten a second; the first takes half a second, and holds up the two after it.
	results := []vegeta.Result{
		at(0, 0, 500*time.Millisecond), at(1, 500*time.Millisecond, 10*time.Millisecond), at(2, 510*time.Millisecond, 10*time.Millisecond),
	}
	l, err := summarize(results, vegeta.ConstantPacer{Freq: 10, Per: time.Second}, 30*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Duration{500 * time.Millisecond, 410 * time.Millisecond, 320 * time.Millisecond} {
		if l.latencies[i] != want {
			t.Errorf("latency of request %d: %s, want %s", i, l.latencies[i], want)
		}
	}
	if l.cpu != 10_000 {
		t.Errorf("CPU time of a request: %g µs, want 10,000", l.cpu)
	}
	if l, err = summarize(results, vegeta.ConstantPacer{}, 0); err != nil || l.latencies[1] != 10*time.Millisecond {
		t.Errorf("latency in a closed loop: %s (%v), want 10ms", l.latencies[1], err)
	}
}

// Figures of refused requests would look better than those of requests that do something.
func TestRefusedRequestsEndARun(t *testing.T) {
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	s := newServer("refusing", refusing.Listener.Addr().String(), os.Getpid(), nil)
	defer s.http.CloseIdleConnections()
	s.clients = []*client{{}}
	if _, err := s.closedLoop(readSelf, 1, time.Minute); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a run of refused requests ended with %v", err)
	}
}

func TestBadOptions(t *testing.T) {
	for _, env := range []map[string]string{{"USERS": "some"}, {"ROUNDS": "0"}, {"SECONDS": "-1"}, {"USERS": "10"}, {"CLIENTS": "0"}} {
		if _, err := optionsOf(func(name string) string { return env[name] }); err == nil {
			t.Errorf("%v: no error", env)
		}
	}
}
