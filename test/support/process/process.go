// Package process runs the real roster binary, for tests and benchmarks that look at the service from
// outside: over HTTP, through its command line, its logs and its exit codes.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds a hang. A healthy process needs far less; no test measures against it.
const patience = 60 * time.Second

// Options says how to run the binary.
type Options struct {
	Binary  string            // path of the binary; see Build
	DataDir string            // the data directory
	Env     map[string]string // ROSTER_* settings over the defaults that Settings shows
	Log     *Log              // where the process logs to; nil makes one
}

// Default as the value of a setting is the binary's own default, where tests have another.
const Default = "(default)"

// Settings returns the environment of a roster process: that of this process without any ROSTER_*,
// then the defaults of tests, then the options' own.
func (o Options) Settings() []string {
	settings := map[string]string{
		"ROSTER_LISTEN":       "127.0.0.1:0",
		"ROSTER_ADMIN_LISTEN": "off",
		"ROSTER_LOG_FORMAT":   "json",
		"ROSTER_DATA_DIR":     o.DataDir,
		// Tests and benchmarks register many users from one address, and ask quickly.
		"ROSTER_THROTTLE_REGISTER": "off", "ROSTER_THROTTLE_USER": "off", "ROSTER_THROTTLE_TOKEN": "off",
	}
	maps.Copy(settings, o.Env)
	maps.DeleteFunc(settings, func(_, value string) bool { return value == Default })
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ROSTER_") })
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		env = append(env, name+"="+settings[name])
	}
	return env
}

// Process is one run of `roster serve`.
type Process struct {
	Address string        // host:port that the service listens on
	Startup time.Duration // from the start of the process until it was ready

	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone
	err    error         // why it is gone; set before exited is closed
}

// Launch starts the service and returns when it is ready to serve, or fails when it is not.
func Launch(o Options) (*Process, error) {
	if o.Log == nil {
		o.Log = new(Log)
	}
	cmd := exec.Command(o.Binary, "serve")
	cmd.Env = o.Settings()
	cmd.Dir = o.DataDir
	ready := o.Log.begin()
	cmd.Stderr = o.Log
	cmd.Stdout = o.Log
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	select {
	case p.Address = <-ready:
		p.Startup = time.Since(begun)
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("roster serve ended before it was ready: %w", p.status())
	case <-time.After(patience):
		_, _ = p.Kill()
		return nil, fmt.Errorf("roster serve was not ready after %s", patience)
	}
}

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Running reports whether the process is there.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Stop asks the process to end (SIGTERM), waits for that, and returns its exit code.
func (p *Process) Stop() (int, error) { return p.end(syscall.SIGTERM) }

// Kill ends the process without warning (SIGKILL) and waits until it is gone.
func (p *Process) Kill() (int, error) { return p.end(syscall.SIGKILL) }

func (p *Process) end(s os.Signal) (int, error) {
	if err := p.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return -1, err
	}
	return p.Wait()
}

// Wait returns the exit code once the process has ended; -1 when a signal ended it.
func (p *Process) Wait() (int, error) {
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.exited
		return -1, fmt.Errorf("the process had not ended after %s", patience)
	}
}

// RSS returns the resident memory of the process in bytes.
func (p *Process) RSS() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the process status has no VmRSS")
}

func (p *Process) status() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// Output is what a finished command left.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// Run runs one roster command to its end. The error is about running it at all, not about its exit.
func (o Options) Run(stdin string, args ...string) (Output, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(o.Binary, args...)
	cmd.Env, cmd.Dir = o.Settings(), o.DataDir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return Output{}, err
	}
	overdue := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	out := Output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	if !overdue.Stop() {
		return out, fmt.Errorf("roster %s had not ended after %s", strings.Join(args, " "), patience)
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return out, err
	}
	return out, nil
}
