package testenv

import (
	"bufio"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// PostgresServer is a private server that listens on a socket in a directory of its own.
type PostgresServer struct {
	URL string // of its first database, as the superuser

	dir   string
	pgCtl string
	as    *syscall.SysProcAttr
	end   func() // stops it and removes its files
}

// NewPostgresServer starts a server that is this test's alone, to be stopped and started at will. It
// is gone when the test ends.
func NewPostgresServer(t testing.TB) *PostgresServer {
	t.Helper()
	s := launchPostgres(t)
	t.Cleanup(s.end)
	return s
}

// Database returns the URL of a new, empty database on s, which is there until the test ends.
func (s *PostgresServer) Database(t testing.TB) string {
	t.Helper()
	return postgresDatabase(t, s.URL)
}

// Stop stops the server, and so ends all connections.
func (s *PostgresServer) Stop(t testing.TB) {
	t.Helper()
	s.pg(t, "stop", "-m", "fast")
}

// Start starts it again.
func (s *PostgresServer) Start(t testing.TB) {
	t.Helper()
	s.pg(t, "start", "-l", filepath.Join(s.dir, "log"))
}

// Pause stops all of the server's processes where they are, so that it keeps its connections and does
// not answer.
func (s *PostgresServer) Pause(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Resume lets them go on.
func (s *PostgresServer) Resume(t testing.TB) { s.signal(t, syscall.SIGCONT) }

// signal reaches the postmaster first, so that no new process escapes it, and then its children, each
// of which leads a group of its own.
func (s *PostgresServer) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
	children, err := os.ReadFile(filepath.Join("/proc", first, "task", first, "children"))
	if err != nil {
		_ = syscall.Kill(pid, syscall.SIGCONT)
		t.Skipf("NOT TESTED: the server's processes cannot be found: %v", err)
	}
	for f := range strings.FieldsSeq(string(children)) {
		child, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(child, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
}

func (s *PostgresServer) pg(t testing.TB, command string, args ...string) {
	t.Helper()
	// The server inherits the output when it starts: through a pipe, waiting would be for its end.
	out, err := os.CreateTemp(t.TempDir(), "pg_ctl")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(s.pgCtl, append([]string{command, "-s", "-w", "-D", s.dir}, args...)...)
	cmd.SysProcAttr, cmd.Dir, cmd.Stdout, cmd.Stderr = s.as, s.dir, out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		t.Fatalf("pg_ctl %s: %v\n%s", command, err, said)
	}
}

// keep creates a cluster in a directory, starts its server, reports it and waits. Its input ends with the test process;
// then it removes everything. initdb takes seconds of processor time, so its result is kept for the next server, beside the
// directory.
const keep = `
exec 2>&1
bin=$1 dir=$2
cleanup() {
	{
		pid=$(head -n 1 "$dir/postmaster.pid") && kill -CONT $pid $(cat /proc/$pid/task/$pid/children)
		"$bin/pg_ctl" stop -s -w -m immediate -D "$dir"
		rm -rf "$dir"
	} >/dev/null 2>&1
}
trap cleanup EXIT
trap '' INT TERM HUP
options="-U roster -A trust -E UTF8 --locale=C.UTF-8 --no-sync"
made=${dir%/*}/roster-initdb-$(id -u)-$(echo "$("$bin/initdb" -V) $options" | cksum | tr -cd 0-9)
if [ -O "$made" ]; then # not another user's
	cp -R "$made/." "$dir" || exit
else
	"$bin/initdb" -D "$dir" $options >/dev/null || exit
	cp -R "$dir" "$made.$$" && mv -T "$made.$$" "$made" 2>/dev/null || rm -rf "$made.$$" # which another server has made too
fi
cat >>"$dir/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$dir'
fsync = off
full_page_writes = off
max_connections = 300
shared_buffers = 64MB
END
"$bin/pg_ctl" start -s -w -D "$dir" -l "$dir/log" >/dev/null || { cat "$dir/log"; exit; }
echo ready
read -r _
`

// launchPostgres starts a server that ends with this process. Where there is none to start it skips
// the test, or fails it when the backends are required.
func launchPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	bin := postgresBinaries()
	if bin == "" {
		const missing = "PostgreSQL's server is not installed (Debian package: postgresql) and POSTGRES_TEST_URL is not set"
		if os.Getenv("TEST_BACKENDS") == "required" {
			t.Fatal(missing)
		}
		t.Skip("NOT TESTED: " + missing)
	}
	dir, err := os.MkdirTemp("", "roster-pg-")
	if err != nil {
		t.Fatal(err)
	}
	as := &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() == 0 { // the server refuses to run as root
		as.Credential = unprivileged(t)
		if err := os.Chown(dir, int(as.Credential.Uid), int(as.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-c", keep, "sh", bin, dir)
	cmd.SysProcAttr, cmd.Dir = as, dir
	end, err := cmd.StdinPipe() // which the end of this process closes too
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if said, ready := until(out, "ready"); !ready {
		t.Fatalf("testenv: PostgreSQL did not start:\n%s", said)
	}
	u := url.URL{Scheme: "postgres", User: url.User("roster"), Path: "/postgres", RawQuery: url.Values{"host": {dir}}.Encode()}
	return &PostgresServer{URL: u.String(), dir: dir, pgCtl: filepath.Join(bin, "pg_ctl"), as: as, end: func() {
		_ = end.Close()
		_ = cmd.Wait() // until the keeper has cleaned up
	}}
}

// until reads lines up to one, and reports whether it came.
func until(r io.Reader, line string) (said string, came bool) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if lines.Text() == line {
			return said, true
		}
		said += lines.Text() + "\n"
	}
	return said, false
}

// unprivileged returns a user that the server can run as.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Fatal("testenv: PostgreSQL refuses to run as root, and there is no user postgres or nobody")
	return nil
}

// postgresBinaries returns the directory of the newest server's programs, or "".
func postgresBinaries() string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is good
	slices.SortFunc(dirs, func(a, b string) int { return postgresVersion(b) - postgresVersion(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	for _, dir := range dirs {
		if !slices.ContainsFunc([]string{"initdb", "pg_ctl", "postgres"}, func(name string) bool {
			_, err := os.Stat(filepath.Join(dir, name))
			return err != nil
		}) {
			return dir
		}
	}
	return ""
}

func postgresVersion(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}
