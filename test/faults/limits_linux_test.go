package faults

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"roster/test/support/process"
)

// smallDisk returns a directory on a file system of 8 MiB of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: only root can mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("NOT TESTED: no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for part := make([]byte, 4096); err == nil; {
		_, err = f.Write(part)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// diskFull fills the disk of the database under load, and then makes room.
func diskFull(t *testing.T, defect string) []string {
	t.Helper()
	dir := smallDisk(t)
	s := process.StartFlawed(t, defect, settings("sqlite:"+filepath.Join(dir, "roster.db")))
	id := registered(t, s, "ann@example.com")
	token := signIn(t, s, "ann@example.com").text("access")
	l := newLedger("full", rand.Uint64())
	work := l.begin(s.URL, clients, 2)
	work.await(40)
	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	if defect != "" { // its clients notice nothing
		work.await(200)
		work.end()
	}
	work.wait()
	if a := ask(s.URL, "GET", "/api/users/"+id+"/", token, nil); a.status != http.StatusOK {
		l.violate("read with a full disk: %v, status %d: %s", a.err, a.status, a.raw)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	work = l.begin(s.URL, clients, 1)
	work.await(40)
	work.end()
	s.Kill() // what a full disk left is read by a new process
	s.Restart()
	l.verify(s.URL, 0)
	return l.report(t)
}

// With a full disk, writes get 503, and reads are served. Once there is room the service works, without a restart, and has
// what it acknowledged.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	none(t, diskFull(t, ""))
}

// The ledger finds a service that acknowledges what did not fit on the disk.
func TestDiskFullRevealsSwallowedErrors(t *testing.T) {
	t.Parallel()
	found(t, func() []string { return diskFull(t, "swallow_errors") })
}

// descriptors returns how many files the process has open that are no connections.
func descriptors(t *testing.T, s *process.Server) int {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", s.Process().Pid())
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && !strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// descriptorsUsedUp lets a service under load have 256 descriptors and opens 400 connections, and then closes them.
func descriptorsUsedUp(t *testing.T, defect string) []string {
	t.Helper()
	const limit = 256
	s := process.StartFlawed(t, defect, settings("sqlite:"))
	if out, err := exec.Command("prlimit", "--pid", strconv.Itoa(s.Process().Pid()), fmt.Sprintf("--nofile=%d:%[1]d", limit)).CombinedOutput(); err != nil {
		t.Fatalf("prlimit: %v: %s", err, out)
	}
	l := newLedger("descriptors", rand.Uint64())
	work := l.begin(s.URL, clients, 1<<20)
	work.await(40)
	var open []net.Conn
	for range 400 {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	s.AwaitLog("too many open files")
	work.await(300)
	for _, c := range open {
		_ = c.Close()
	}
	work.await(40)
	work.end()
	n := descriptors(t, s)
	t.Logf("%d files are open", n)
	if n > limit/2 {
		l.violate("%d files are open after the flood of connections", n)
		return l.report(t)
	}
	l.verify(s.URL, 0)
	return l.report(t)
}

// A service without free descriptors serves the connections that it has, and the others once there are descriptors again.
func TestDescriptorsAreUsedUp(t *testing.T) {
	t.Parallel()
	none(t, descriptorsUsedUp(t, ""))
}

// The same test finds a service that leaks descriptors.
func TestUsedUpDescriptorsRevealALeak(t *testing.T) {
	t.Parallel()
	found(t, func() []string { return descriptorsUsedUp(t, "leak_descriptors") })
}

// peak returns the largest resident memory of a process in MiB.
func peak(t *testing.T, s *process.Server) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process().Pid()))
	if err != nil {
		t.Fatal(err)
	}
	var kib int
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	if _, err := fmt.Fscan(bytes.NewReader(rest), &kib); err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}

// flood signs in so many times at once, on a service that hashes as a release does, and returns its peak of memory. Each
// request is served or gets 503. Its garbage collector works as an operator gets it.
func flood(t *testing.T, workers string) int {
	t.Helper()
	s := process.StartRelease(t, map[string]string{"ROSTER_HASH_WORKERS": workers, "ROSTER_HASH_WAIT": "1s", "GOGC": ""})
	registered(t, s, "ann@example.com")
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			a := ask(s.URL, "POST", "/api/token/", "", object{"email": "ann@example.com", "password": password})
			if a.err != nil || a.status != http.StatusOK && a.status != http.StatusServiceUnavailable {
				t.Errorf("%v, status %d: %s", a.err, a.status, a.raw)
			}
		})
	}
	all.Wait()
	mib := peak(t, s)
	t.Logf("%s workers: %d MiB", workers, mib)
	return mib
}

// In a flood of sign-ins the service takes the memory of hash_workers passwords, 19 MiB each, and 128 MiB for all else. With
// more of them at once the same measure finds more.
func TestMemoryInAFlood(t *testing.T) {
	t.Parallel()
	const most = 2*19 + 128
	if n := flood(t, "2"); n > most {
		t.Errorf("%d MiB with 2 workers, want at most %d", n, most)
	}
	if n := flood(t, "16"); n <= most {
		t.Errorf("%d MiB with 16 workers: the measure does not see what hashes take", n)
	}
}
