package testenv

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// MongoServer is a private server of the MongoDB protocol: test/mongoserver. It ends with this process
// at the latest, and leaves nothing behind.
type MongoServer struct {
	URI string

	address, dir string
	cmd          *exec.Cmd
	input        io.Closer // the server ends with it; nil when it has
}

// NewMongoServer starts a server that is this test's alone, to be stopped and started at will. It is
// gone when the test ends.
func NewMongoServer(t testing.TB) *MongoServer {
	t.Helper()
	s, err := launchMongo("127.0.0.1:0", t.TempDir())
	if err != nil {
		withoutMongo(t, err)
	}
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// Stop stops the server, if it runs, and so ends all connections.
func (s *MongoServer) Stop(t testing.TB) {
	t.Helper()
	if s.input == nil {
		return
	}
	err := s.input.Close()
	s.input = nil
	if err := errors.Join(err, s.cmd.Wait()); err != nil {
		t.Errorf("testenv: stop the MongoDB server: %v", err)
	}
}

// Start starts it again, at the same address and with the same data.
func (s *MongoServer) Start(t testing.TB) {
	t.Helper()
	again, err := launchMongo(s.address, s.dir)
	if err != nil {
		t.Fatal(err)
	}
	*s = *again
}

// Pause stops the server's process where it is, so that it keeps its connections and does not answer.
func (s *MongoServer) Pause(t testing.TB) {
	t.Helper()
	pid := s.cmd.Process.Pid
	err := syscall.Kill(pid, syscall.SIGSTOP)
	var status syscall.WaitStatus
	for err == nil && !status.Stopped() { // until then it may still answer
		_, err = syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		if errors.Is(err, syscall.EINTR) {
			err = nil
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Resume lets it go on.
func (s *MongoServer) Resume(t testing.TB) {
	t.Helper()
	if err := syscall.Kill(s.cmd.Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// Database returns the URI of a new, empty database on s.
func (s *MongoServer) Database() string { return s.URI + "roster_test" }

// launchMongo starts the server and waits until it can be used.
func launchMongo(address, dir string) (*MongoServer, error) {
	binary, err := buildMongo()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-listen", address, "-dir", dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that it learns of our end even when paused
	input, err := cmd.StdinPipe()                         // which only this process holds open
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("test/mongoserver did not begin to serve: %w", errors.Join(err, input.Close(), cmd.Wait()))
	}
	address = strings.TrimSpace(line)
	return &MongoServer{URI: "mongodb://" + address + "/", address: address, dir: dir, cmd: cmd, input: input}, nil
}

// buildMongo returns the path of test/mongoserver's binary. It is built once for each state of its
// source, whatever number of test processes ask at once, and kept in the user's cache.
var buildMongo = sync.OnceValues(func() (string, error) {
	source, err := moduleDir("test", "mongoserver")
	if err != nil {
		return "", err
	}
	state, err := stateOf(source)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir() // no home
	}
	dir := filepath.Join(cache, "roster-mongoserver")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close() // and with it the lock goes
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "mongoserver-"+state)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary+".new", ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off") // under -race it is a slow debug build
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build of test/mongoserver: %w\n%s", err, out)
	}
	return binary, os.Rename(binary+".new", binary)
})

// stateOf returns a digest of the files below dir, and of what they are built with.
func stateOf(dir string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		fmt.Fprintf(h, "%q %d\n%s", path, len(content), content)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)[:12]), err
}

// moduleDir returns a directory of this module, inside of which the test runs.
func moduleDir(parts ...string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(append([]string{dir}, parts...)...), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the test's directory")
		}
		dir = parent
	}
}
