package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"roster/test/support/process"
)

// idleConnections is how many connections stay open between runs, so that a run does not count opening them.
const idleConnections = 1000

// server is a process that is measured: Roster, or the floor.
type server struct {
	name, url string
	pid       int
	http      *http.Client
	clients   []*client
	stop      func() error
}

func newServer(name, address string, pid int, stop func() error) *server {
	return &server{name: name, url: "http://" + address, pid: pid, stop: stop, http: &http.Client{
		Timeout:   2 * time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: idleConnections},
	}}
}

// settings are those of the measured Roster: the defaults, but for tokens that outlive a long run, and without limits on
// what one client address may do. process.Options switches the throttles off.
func (b *bench) settings(more map[string]string) process.Options {
	env := map[string]string{
		"ROSTER_ACCESS_TOKEN_LIFETIME": "12h", "ROSTER_LOCKOUT_FAILURES": "0", "ROSTER_LOCKOUT_ADDRESS_FAILURES": "0",
		"ROSTER_HASH_WAIT": "1m", // for a flood of sign-ins on a busy machine
	}
	if b.database != "" {
		env["ROSTER_DATABASE"] = b.database
	}
	for name, value := range more {
		env[name] = value
	}
	return process.Options{Binary: b.binary, DataDir: b.data, Env: env, Log: new(process.Log)}
}

// launch starts Roster, without clients.
func (b *bench) launch(name string, more map[string]string) (*server, *process.Process, error) {
	o := b.settings(more)
	p, err := process.Launch(o)
	if err != nil {
		return nil, nil, fmt.Errorf("%w\n%s", err, o.Log)
	}
	return newServer(name, p.Address, p.Pid(), func() error {
		code, err := p.Stop()
		if err == nil && code != 0 {
			err = fmt.Errorf("roster stopped with exit code %d\n%s", code, o.Log)
		}
		return err
	}), p, nil
}

// launchRoster starts Roster and signs n clients in.
func (b *bench) launchRoster(name string, n int, more map[string]string) (*server, error) {
	s, _, err := b.launch(name, more)
	if err != nil {
		return nil, err
	}
	for i := range n {
		c, err := s.signIn(seeded(i).Email)
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		c.id = string(seeded(i).ID)
		s.clients = append(s.clients, c)
	}
	return s, nil
}

// launchFloor builds and starts the floor on the same database.
func (b *bench) launchFloor() (*server, error) {
	binary := filepath.Join(b.work, "floor")
	if out, err := exec.Command("go", "build", "-o", binary, "roster/test/bench/floor").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	database := b.database
	if database == "" {
		database = filepath.Join(b.data, "roster.db")
	}
	cmd := exec.Command(binary, "-database", database)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // which the end of this process closes too
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
	address, token, _ := strings.Cut(strings.TrimSpace(line), " ")
	s := newServer("floor", address, cmd.Process.Pid, func() error {
		_ = stdin.Close()
		return cmd.Wait()
	})
	for i := range b.clients {
		s.clients = append(s.clients, &client{id: string(seeded(i).ID), access: token})
	}
	return s, err
}

// signIn returns a signed-in client.
func (s *server) signIn(email string) (*client, error) {
	resp, err := s.http.Post(s.url+"/api/token/", "application/json", strings.NewReader(credentials(email, password)))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var pair struct{ Access, Refresh string }
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(raw, &pair)
	} else {
		err = errors.Join(err, fmt.Errorf("sign-in of %s: %s: %s", email, resp.Status, bytes.TrimSpace(raw)))
	}
	return &client{email: email, access: pair.Access, refresh: pair.Refresh}, err
}

func credentials(email, password string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)
}

// page returns the ids and the link to the next page that a list request gives.
func (s *server) page(path string) (ids []string, next string, err error) {
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Authorization", "Bearer "+s.clients[0].access)
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	var page struct {
		Next    string
		Results []struct{ ID string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		return nil, "", fmt.Errorf("%s: %s: %w", path, resp.Status, err)
	}
	for _, u := range page.Results {
		ids = append(ids, u.ID)
	}
	return ids, page.Next, nil
}

// ticksPerSecond is USER_HZ, in which Linux reports the time of processes on every architecture that Go has.
const ticksPerSecond = 100

// cpuTime returns the user and system time of the process until now, in steps of 10 ms.
func (s *server) cpuTime() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		return 0, fmt.Errorf("the benchmark needs Linux: %w", err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // after the name, which may hold blanks
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticksPerSecond, errors.Join(err1, err2)
}

// resident returns the resident memory of the process in megabytes.
func (s *server) resident() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	return float64(pages) * float64(os.Getpagesize()) / 1e6, err
}
