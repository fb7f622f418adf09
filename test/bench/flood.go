package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"roster/test/support/process"
)

// A flood of sign-ins: how many connections, for how long, and how often somebody else reads meanwhile.
const (
	floodConnections = 64
	floodTime        = 30 * time.Second
	calmTime         = 10 * time.Second
	readEvery        = 10 * time.Millisecond
)

// floods tells what a flood of wrong passwords, each connection from an address of its own, does to the
// others: with the limits on guessing as they are by default, and without any, so that every attempt
// is hashed.
func floods(binary, dir string) error {
	fmt.Printf("\nlogin flood  %d connections for %s; others read a user and /livez every %s\n", floodConnections, floodTime, readEvery)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "limits\tcalm p50 ms\tp99 ms\tflood p50 ms\tp99 ms\tp99 ratio\t/livez p99 ratio\tpeak MB\trefused\tbusy\tlimited\tsign-in after ms\t")
	for _, limits := range []struct {
		name string
		env  map[string]string
	}{
		{"default", nil},
		{"off", unlimited},
	} {
		f, err := flood(binary, dir, limits.env)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%.1f\t%.1f\t%.0f\t%d\t%d\t%d\t%s\t\n", limits.name,
			ms(quantile(f.calm.reads, 50)), ms(quantile(f.calm.reads, 99)), ms(quantile(f.wild.reads, 50)), ms(quantile(f.wild.reads, 99)),
			ratio(quantile(f.wild.reads, 99), quantile(f.calm.reads, 99)), ratio(quantile(f.wild.lives, 99), quantile(f.calm.lives, 99)),
			megabytes(f.wild.peak), f.answers[401].Load(), f.answers[503].Load(), f.answers[429].Load(), ms(f.after))
	}
	return out.Flush()
}

// watched is what was seen while others did something.
type watched struct {
	reads, lives []time.Duration
	peak         int64 // resident bytes
}

type flooded struct {
	calm, wild watched
	answers    map[int]*atomic.Int64
	after      time.Duration // of the first sign-in once the flood has ended
}

func flood(binary, dir string, env map[string]string) (flooded, error) {
	f := flooded{answers: map[int]*atomic.Int64{401: {}, 429: {}, 503: {}}}
	p, err := launch(binary, dir, "flood", env)
	if err != nil {
		return f, err
	}
	defer p.Kill()
	w, err := arrive(p.Address)
	if err != nil {
		return f, err
	}
	defer w.close()
	if f.calm, err = watch(p, w, calmTime); err != nil {
		return f, err
	}
	over := make(chan struct{})
	faults := make([]error, floodConnections)
	var all sync.WaitGroup
	for i := range faults {
		all.Go(func() { faults[i] = f.attack(p.Address, i, over) })
	}
	f.wild, err = watch(p, w, floodTime)
	close(over)
	all.Wait()
	if err := errors.Join(append(faults, err)...); err != nil {
		return f, err
	}
	begun := time.Now()
	_, err = w.do("POST", "/api/token/", "", credentials(w.email, password), 200)
	f.after = time.Since(begun)
	return f, errors.Join(err, stop(p))
}

// attack tries passwords of users who are not there until it is over, from a loopback address of
// its own.
func (f *flooded) attack(address string, n int, over <-chan struct{}) error {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, 0, byte(n+1))}}
	raw, err := from.Dial("tcp", address)
	if err != nil {
		return err
	}
	c := &conn{raw, bufio.NewReader(raw), address}
	defer c.close()
	for i := 0; ; i++ {
		select {
		case <-over:
			return nil
		default:
		}
		body := credentials(fmt.Sprintf("flood%d-%d@example.com", n, i%20), "not-the-password")
		if _, err := fmt.Fprintf(c, "POST /api/token/ HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", c.host, len(body), body); err != nil {
			return err
		}
		resp, err := http.ReadResponse(c.in, nil)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		count, ok := f.answers[resp.StatusCode]
		if !ok {
			return fmt.Errorf("a wrong password got status %d", resp.StatusCode)
		}
		count.Add(1)
	}
}

// watch reads a user and the health of the service at a steady pace, and looks at its memory.
func watch(p *process.Process, w *worker, span time.Duration) (watched, error) {
	var seen watched
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for end := time.Now().Add(span); time.Now().Before(end); <-tick.C {
		begun := time.Now()
		if _, err := w.do("GET", "/api/users/"+w.id+"/", w.access, "", 200); err != nil {
			return seen, err
		}
		read := time.Now()
		if _, err := w.do("GET", "/livez", "", "", 200); err != nil {
			return seen, err
		}
		seen.reads, seen.lives = append(seen.reads, read.Sub(begun)), append(seen.lives, time.Since(read))
		rss, err := p.RSS()
		if err != nil {
			return seen, err
		}
		seen.peak = max(seen.peak, rss)
	}
	return seen, nil
}

func quantile(values []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)*percent/100]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
