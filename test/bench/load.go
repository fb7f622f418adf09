package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// client is a user of the service. It has one request under way at a time.
type client struct {
	id, email, access, refresh string
	cookie                     string // of a browser session, for pages
	changes                    int    // how often the name was changed
}

// request makes the next request of a client. Its URL is a path.
type request func(c *client) vegeta.Target

// load is what the clients of one run saw.
type load struct {
	requests  int
	rate      float64         // answers a second
	cpu       float64         // user and system time of the server for each request, in microseconds
	latencies []time.Duration // from when each request was due to its answer
}

// closedLoop sends requests of n clients for a time, the next one of each as soon as the one before is answered.
func (s *server) closedLoop(r request, n int, d time.Duration) (load, error) {
	return s.attack(r, n, vegeta.ConstantPacer{}, d, nil)
}

// constantRate sends a number of requests a second, of at most n clients at once. Latencies count from when a request
// was due, so that one that had to wait for its turn counts as slow (no coordinated omission).
func (s *server) constantRate(r request, n int, rate float64, d time.Duration) (load, error) {
	const precision = 1000 // vegeta takes whole requests
	per := vegeta.ConstantPacer{Freq: int(rate*precision) + 1, Per: precision * time.Second}
	return s.attack(r, n, per, d, nil)
}

// attack runs until d is over and a request was answered, or stop is closed; without a rate, the pace is that of the answers. An
// answer that is an error ends it, since figures of refused requests would mean nothing.
func (s *server) attack(r request, n int, pace vegeta.ConstantPacer, d time.Duration, stop <-chan struct{}) (load, error) {
	free := make(chan int, n)
	for i := range n {
		free <- i
	}
	targeter := func(t *vegeta.Target) error {
		i := <-free
		*t = r(s.clients[i])
		t.URL = s.url + t.URL + "#" + strconv.Itoa(i) // a fragment is not sent; it is there in the result
		return nil
	}
	a := vegeta.NewAttacker(vegeta.Client(s.http), vegeta.Workers(uint64(n)), vegeta.MaxWorkers(uint64(n)))
	if stop != nil {
		go func() {
			<-stop
			a.Stop()
		}()
	}
	before, err := s.cpuTime()
	if err != nil {
		return load{}, err
	}
	var results []vegeta.Result
	var fault error
	take := func(result *vegeta.Result) {
		if result.Error != "" && fault == nil {
			fault = fmt.Errorf("%s %s: %s: %s", result.Method, result.URL, result.Error, result.Body)
			a.Stop()
		}
		path, number, _ := strings.Cut(result.URL, "#")
		i, err := strconv.Atoi(number)
		if err == nil && fault == nil && strings.HasSuffix(path, "/refresh/") {
			err = json.Unmarshal(result.Body, &struct{ Refresh *string }{&s.clients[i].refresh})
		}
		if err != nil && fault == nil {
			fault = err
		}
		free <- i
		result.Body, result.Headers = nil, nil
		results = append(results, *result)
	}
	for again := true; again; again = len(results) == 0 && fault == nil && stop == nil { // d can pass before the first request
		for result := range a.Attack(targeter, pace, d, "") {
			take(result)
		}
	}
	after, err := s.cpuTime()
	if fault != nil || err != nil {
		return load{}, fmt.Errorf("%s: %w", s.name, firstOf(fault, err))
	}
	return summarize(results, pace, after-before)
}

// summarize counts latencies of a constant rate from the schedule, which begins with the first request.
func summarize(results []vegeta.Result, pace vegeta.ConstantPacer, cpu time.Duration) (load, error) {
	if len(results) == 0 {
		return load{}, fmt.Errorf("nothing was answered")
	}
	var begin, end time.Time
	for _, r := range results {
		if r.Seq == 0 {
			begin = r.Timestamp
		}
		if r.End().After(end) {
			end = r.End()
		}
	}
	l := load{requests: len(results), rate: float64(len(results)) / end.Sub(begin).Seconds(),
		cpu: float64(cpu.Microseconds()) / float64(len(results))}
	for _, r := range results {
		due := r.Timestamp
		if pace.Freq > 0 {
			due = begin.Add(time.Duration(float64(r.Seq) * float64(pace.Per) / float64(pace.Freq)))
		}
		l.latencies = append(l.latencies, max(r.End().Sub(due), r.Latency))
	}
	return l, nil
}

func firstOf(faults ...error) error {
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// get returns a request for a path, with the client's access token.
func get(c *client, path string) vegeta.Target { return authenticated(c, "GET", path, "") }

func authenticated(c *client, method, path, body string) vegeta.Target {
	t := send(method, path, body)
	t.Header.Set("Authorization", "Bearer "+c.access)
	return t
}

// send returns a request without a token.
func send(method, path, body string) vegeta.Target {
	t := vegeta.Target{Method: method, URL: path, Header: http.Header{}}
	if body != "" {
		t.Body = []byte(body)
		t.Header.Set("Content-Type", "application/json")
	}
	return t
}
