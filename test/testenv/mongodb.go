// Package testenv gives tests the servers that backends need: ones that are named in the environment,
// or private ones that end with the tests and leave nothing behind.
package testenv

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// MongoVariable names a MongoDB for the tests, whose databases they make and drop.
const MongoVariable = "MONGODB_TEST_URI"

// RequiredVariable with the value "required" makes a backend that cannot be tested a failure.
const RequiredVariable = "TEST_BACKENDS"

// MongoDB returns the URI of an empty database for this test alone, which is dropped at its end. The
// server is MONGODB_TEST_URI's, or test/mongoserver, one in a test process.
func MongoDB(t testing.TB) string {
	t.Helper()
	base := os.Getenv(MongoVariable)
	if base == "" {
		s, err := shared()
		if err != nil {
			Missing(t, "MongoDB", err)
		}
		base = s.URI
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatalf("%s is no URI", MongoVariable) // the error would show it, password and all
	}
	name := "roster_test_" + strings.ToLower(rand.Text()[:16])
	u.Path = "/" + name
	if options := u.Query(); u.User != nil && options.Get("authSource") == "" {
		options.Set("authSource", "admin") // else the new database would be asked
		u.RawQuery = options.Encode()
	}
	t.Cleanup(func() { drop(t, u.String(), name) })
	return u.String()
}

// Missing skips a test loudly, or fails it where every backend is required.
func Missing(t testing.TB, backend string, err error) {
	t.Helper()
	if os.Getenv(RequiredVariable) == "required" {
		t.Fatalf("no %s to test with: %v", backend, err)
	}
	t.Skipf("NOT TESTED: no %s to test with: %v", backend, err)
}

func drop(t testing.TB, uri, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Errorf("drop %s: no connection", name)
		return
	}
	defer func() { _ = c.Disconnect(ctx) }()
	if err := c.Database(name).Drop(ctx); err != nil {
		t.Errorf("drop %s: %v", name, err)
	}
}

var shared = sync.OnceValues(func() (*MongoServer, error) { return startMongo("127.0.0.1:0", "") })

// MongoServer is a private server of the MongoDB protocol. It ends with this process at the latest.
type MongoServer struct {
	URI string

	address, dir string
	cmd          *exec.Cmd
	stdin        io.Closer
}

// NewMongoServer starts a server for this test alone, which may stop it and start it again.
func NewMongoServer(t testing.TB) *MongoServer {
	t.Helper()
	s, err := startMongo("127.0.0.1:0", t.TempDir())
	if err != nil {
		Missing(t, "MongoDB", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop the MongoDB server: %v", err)
		}
	})
	return s
}

// Stop ends the server, and every connection with it.
func (s *MongoServer) Stop() error {
	if s.stdin == nil {
		return nil
	}
	err := s.stdin.Close()
	s.stdin = nil
	if wait := s.cmd.Wait(); err == nil {
		err = wait
	}
	return err
}

// Start starts a stopped server again, at the same address and with the same data.
func (s *MongoServer) Start(t testing.TB) {
	t.Helper()
	again, err := startMongo(s.address, s.dir)
	if err != nil {
		t.Fatal(err)
	}
	*s = *again
}

// startMongo starts test/mongoserver and waits until it can be used. The server ends when its standard
// input does, which only this process holds open.
func startMongo(address, dir string) (*MongoServer, error) {
	binary, err := buildMongo()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-listen", address, "-dir", dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = stdin.Close()
		return nil, fmt.Errorf("the MongoDB server did not begin to serve (see above): %w, %w", err, cmd.Wait())
	}
	address = strings.TrimSpace(line)
	return &MongoServer{URI: "mongodb://" + address + "/", address: address, dir: dir, cmd: cmd, stdin: stdin}, nil
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
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
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
