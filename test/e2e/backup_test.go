package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"roster/test/support/process"
)

// backedUp makes a backup of the data of s and returns its path.
func backedUp(t *testing.T, s *process.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.tar")
	if out := s.MustCLI("backup", path); !strings.HasSuffix(out, "  "+path+"\n") {
		t.Errorf("roster backup prints %q", out)
	}
	return path
}

// files returns the names of the files in a directory and below.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !strings.HasSuffix(path, ".lock") {
			names = append(names, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A backup that is made while users register has every user that was acknowledged before it began, and the sessions and
// keys: a restored service accepts the tokens that the former one issued.
func TestBackupUnderLoad(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	var (
		mu    sync.Mutex
		known = []string{ann.email}
		load  sync.WaitGroup
		begun = make(chan struct{}, 100)
		stop  = make(chan struct{})
	)
	for client := range 4 {
		load.Go(func() {
			for i := 0; ; i++ {
				email := fmt.Sprintf("user-%d-%d@example.com", client, i)
				if call(s, t, "POST", "/api/users/", body(registration(email))).status == 201 {
					mu.Lock()
					known = append(known, email)
					mu.Unlock()
				}
				select {
				case <-stop:
					return
				case begun <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 20 {
		<-begun
	}
	mu.Lock()
	before := strings.Join(known, "\n")
	mu.Unlock()
	path := backedUp(t, s)
	close(stop)
	load.Wait()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	same(t, "files", len(files(t, filepath.Dir(path))), 1)

	restored := process.Prepare(t, nil)
	restored.MustCLI("restore", path)
	same(t, "restored", files(t, restored.DataDir), []string{"keys/signing-keys.json", "roster.db"})
	all := restored.MustCLI("user", "list", "--format", "json")
	for email := range strings.SplitSeq(before, "\n") {
		if !strings.Contains(all, `"`+email+`"`) {
			t.Errorf("%s is not in the backup", email)
		}
	}
	restored.Restart()
	wantAlive(restored, t, ann, k)
	refresh(restored, t, k.refresh).want(200)
}

// Nothing is restored from a damaged backup.
func TestDamagedBackupIsRefused(t *testing.T) {
	s := process.Start(t, nil)
	register(s, t, "ann@example.com")
	path := backedUp(t, s)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keys := bytes.Index(content, []byte(`"keys"`))
	for what, damaged := range map[string][]byte{
		"a changed byte of the database": flipped(content, 20_000),
		"a changed byte of the keys":     flipped(content, keys),
		"the first half":                 content[:len(content)/2],
		"no byte":                        nil,
		"another file":                   []byte(strings.Repeat("text ", 1000)),
	} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		empty := process.Prepare(t, nil)
		_, stderr, code := empty.CLI("restore", path)
		if code != 1 || !strings.Contains(stderr, "not a complete backup") {
			t.Errorf("%s: exit code %d, %s", what, code, stderr)
		}
		same(t, what+": files", len(files(t, empty.DataDir)), 0)
	}
}

func flipped(content []byte, at int) []byte {
	out := bytes.Clone(content)
	out[at] ^= 0x10
	return out
}

// A restore replaces no database, whether a service uses it, was killed or was stopped, and no other keys.
func TestRestoreReplacesNothing(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	path := backedUp(t, s)
	refused := func(what string, args ...string) {
		t.Helper()
		was := files(t, s.DataDir)
		if _, stderr, code := s.CLI(append([]string{"restore", path}, args...)...); code != 1 || !strings.Contains(stderr, "already") {
			t.Errorf("%s: exit code %d, %s", what, code, stderr)
		}
		same(t, what, files(t, s.DataDir), was)
	}
	refused("a running service")
	s.Kill()
	refused("a killed service")
	if err := os.Remove(filepath.Join(s.DataDir, "roster.db")); err != nil {
		t.Fatal(err)
	}
	refused("the log of a killed service")
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(filepath.Join(s.DataDir, "roster.db"+suffix)); err != nil {
			t.Fatal(err)
		}
	}
	s.MustCLI("keys", "rotate")
	refused("other keys")

	s.MustCLI("restore", path, "--without-keys")
	s.MustCLI("keys", "list")
	s.Restart()
	wantAlive(s, t, ann, k) // the former key verifies beside the new one

	other := process.Prepare(t, nil)
	other.MustCLI("restore", path, "--without-keys")
	other.Restart()
	wantDead(other, t, ann, k)
	wantAlive(other, t, ann, signIn(other, t, ann))
}

// A killed backup leaves no file of the name that it was to have, or all of it.
func TestKilledBackup(t *testing.T) {
	s := process.Start(t, nil)
	register(s, t, "ann@example.com")
	unfinished := 0
	for range 10 {
		dir := t.TempDir()
		path := filepath.Join(dir, "backup.tar")
		cmd := s.Command("backup", path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for len(files(t, dir)) == 0 { // at the latest the end of the command makes one
		}
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if _, err := os.Stat(path); err != nil {
			unfinished++
			continue
		}
		process.Prepare(t, nil).MustCLI("restore", path)
	}
	if unfinished == 0 {
		t.Error("every backup was complete before it was killed")
	}
}

// For a database server the command names the tools that back it up.
func TestBackupOfADatabaseServer(t *testing.T) {
	for url, tool := range map[string]string{
		"postgres://roster@127.0.0.1:1/roster": "pg_dump", "mongodb://127.0.0.1:1/roster": "mongodump",
	} {
		for _, command := range []string{"backup", "restore"} {
			s := process.Prepare(t, map[string]string{"ROSTER_DATABASE": url})
			path := filepath.Join(s.DataDir, "backup.tar")
			if err := os.WriteFile(path+".2", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if command == "restore" {
				path += ".2"
			}
			_, stderr, code := s.CLI(command, path)
			if code != 1 || !strings.Contains(stderr, tool) || !strings.Contains(stderr, "roster export") {
				t.Errorf("%s of %s: exit code %d, %s", command, url, code, stderr)
			}
			same(t, "files", files(t, s.DataDir), []string{"backup.tar.2"})
		}
	}
}
