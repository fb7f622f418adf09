package process

import (
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Server is a running service with a data directory of its own, for one test.
type Server struct {
	URL     string // http://host:port, without a closing slash
	DataDir string

	t       testing.TB
	options Options
	process *Process
}

// Start starts a service with an empty data directory and the given ROSTER_* settings. It ends with
// the test, and must then end well; if the test failed, its log is shown.
func Start(t testing.TB, env map[string]string) *Server {
	t.Helper()
	s := Prepare(t, env)
	s.Restart()
	return s
}

// StartWatched is Start of the binary that BuildWatched makes: where requests race, a race of its memory
// fails the test as well.
func StartWatched(t testing.TB, env map[string]string) *Server {
	t.Helper()
	s := prepared(t, env, BuildWatched)
	s.Restart()
	return s
}

// StartRelease is Start of the binary that BuildRelease makes.
func StartRelease(t testing.TB, env map[string]string) *Server {
	t.Helper()
	s := prepared(t, env, BuildRelease)
	s.Restart()
	return s
}

// StartFlawed is Start of the binary that BuildFlawed makes, with one of its defects, or of Build's for "".
func StartFlawed(t testing.TB, defect string, env map[string]string) *Server {
	t.Helper()
	if defect == "" {
		return Start(t, env)
	}
	s := PrepareFlawed(t, defect, env)
	s.Restart()
	return s
}

// PrepareFlawed makes a server of StartFlawed that is not started yet.
func PrepareFlawed(t testing.TB, defect string, env map[string]string) *Server {
	t.Helper()
	with := map[string]string{"TEST_DEFECT": defect}
	maps.Copy(with, env)
	return prepared(t, with, BuildFlawed)
}

// Prepare makes a server that is not started yet: for commands to run before it is, or instead.
func Prepare(t testing.TB, env map[string]string) *Server {
	t.Helper()
	return prepared(t, env, Build)
}

func prepared(t testing.TB, env map[string]string, build func() (string, error)) *Server {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	env = maps.Clone(env)
	if url := database(t); url != "" && env["ROSTER_DATABASE"] == "" {
		if env == nil {
			env = map[string]string{}
		}
		env["ROSTER_DATABASE"] = url
	}
	return prepare(t, Options{Binary: binary, DataDir: dir, Env: env, Log: new(Log)})
}

// Twin starts another instance on the same data directory and database, with further settings. It ends
// with the test as the first does.
func (s *Server) Twin(env map[string]string) *Server {
	s.t.Helper()
	o := s.options
	o.Env, o.Log = maps.Clone(o.Env), new(Log)
	if o.Env == nil {
		o.Env = map[string]string{}
	}
	maps.Copy(o.Env, env)
	twin := prepare(s.t, o)
	twin.Restart()
	return twin
}

func prepare(t testing.TB, o Options) *Server {
	s := &Server{DataDir: o.DataDir, t: t, options: o}
	t.Cleanup(func() {
		if s.process != nil && s.process.Running() {
			s.Stop()
		}
		// The exit code shows it too, except that of a killed process.
		if strings.Contains(s.Logs(), "WARNING: DATA RACE") {
			t.Error("the race detector found a race in the service")
		}
		if t.Failed() {
			t.Logf("log of the service, its end:\n%s", tail(s.Logs(), 200))
		}
	})
	return s
}

// Restart starts the service on its data directory; if it runs, it is stopped before. URL may change.
func (s *Server) Restart() {
	s.t.Helper()
	if s.process != nil && s.process.Running() {
		s.Stop()
	}
	p, err := Launch(s.options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.process, s.URL = p, "http://"+p.Address
}

// Instance identifies the service from one Restart to the next, for use as the key of a map.
func (s *Server) Instance() any { return s.process }

// Stop ends the service in good order (SIGTERM) and fails the test unless it exits with 0.
func (s *Server) Stop() {
	s.t.Helper()
	if code, err := s.process.Stop(); err != nil || code != 0 {
		s.t.Errorf("the service stopped with exit code %d (%v), want 0", code, err)
	}
}

// Kill ends the service without warning (SIGKILL).
func (s *Server) Kill() {
	s.t.Helper()
	if _, err := s.process.Kill(); err != nil {
		s.t.Fatal(err)
	}
}

// Process returns the present run, for what a Server has no word for.
func (s *Server) Process() *Process { return s.process }

// Startup returns how long the present run took from its start until it was ready.
func (s *Server) Startup() time.Duration { return s.process.Startup }

// Logs returns what the service has logged so far, in all its runs.
func (s *Server) Logs() string { return s.options.Log.String() }

// AwaitLog waits until the service has logged a text.
func (s *Server) AwaitLog(text string) {
	s.t.Helper()
	if err := s.options.Log.Await(text); err != nil {
		s.t.Fatal(err)
	}
}

// CLI runs another roster command on the same data directory with the same settings.
func (s *Server) CLI(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	return s.CLIWithInput("", args...)
}

// CLIWithInput is CLI with something to read on standard input.
func (s *Server) CLIWithInput(stdin string, args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	out, err := s.options.Run(stdin, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out.Stdout, out.Stderr, out.Code
}

// MustCLI runs a command that must succeed and returns its standard output.
func (s *Server) MustCLI(args ...string) string {
	s.t.Helper()
	stdout, stderr, code := s.CLI(args...)
	if code != 0 {
		s.t.Fatalf("roster %s: exit code %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// Command returns another roster command, to be started, on the same data directory with the same settings.
func (s *Server) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.options.Binary, args...)
	cmd.Env, cmd.Dir = s.options.Settings(), s.options.DataDir
	return cmd
}

// Shell returns the command as a line for a shell. Braces stay for the caller to fill in.
func (s *Server) Shell(args ...string) string {
	words := []string{"env", "-i"}
	for _, setting := range s.options.Settings() {
		if strings.HasPrefix(setting, "ROSTER_") {
			words = append(words, quoted(setting))
		}
	}
	words = append(words, quoted(s.options.Binary))
	for _, a := range args {
		words = append(words, quoted(a))
	}
	return strings.Join(words, " ")
}

func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n-1):], "")
}
