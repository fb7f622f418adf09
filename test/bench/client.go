package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// conn is one kept connection with one request at a time, as light as a client can be: what is
// measured shall be the server.
type conn struct {
	net.Conn
	in   *bufio.Reader
	host string
}

func dial(address string) (*conn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReader(c), address}, nil
}

func (c *conn) close() { _ = c.Conn.Close() }

// do makes a request and returns the body of the answer, which must have the status.
func (c *conn) do(method, path, token, body string, status int) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, c.host)
	if token != "" {
		b.WriteString("Authorization: Bearer " + token + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	if _, err := io.WriteString(c, b.String()); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != status {
		err = fmt.Errorf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, status, raw)
	}
	return raw, err
}

// result is what one measurement found.
type result struct {
	rate     float64 // requests a second
	p50, p99 time.Duration
}

// measure runs an operation over all connections, each of a user of its own, for the set time.
func (o options) measure(address string, op operation) (result, error) {
	workers := make([]*worker, o.connections)
	for i := range workers {
		w, err := arrive(address)
		if err != nil {
			return result{}, err
		}
		defer w.close()
		workers[i] = w
	}
	took := make([][]time.Duration, len(workers))
	faults := make([]error, len(workers))
	begun := time.Now()
	end := begun.Add(time.Duration(o.seconds * float64(time.Second)))
	var all sync.WaitGroup
	for i, w := range workers {
		all.Go(func() {
			for now := time.Now(); now.Before(end) && faults[i] == nil; {
				faults[i] = op.once(w)
				next := time.Now()
				took[i] = append(took[i], next.Sub(now))
				now = next
			}
		})
	}
	all.Wait()
	span := time.Since(begun)
	if err := errors.Join(faults...); err != nil {
		return result{}, err
	}
	sorted := slices.Sorted(slices.Values(slices.Concat(took...)))
	n := len(sorted)
	return result{float64(n) / span.Seconds(), sorted[n/2], sorted[n*99/100]}, nil
}

// member returns a text member of a JSON object.
func member(raw []byte, name string) (string, error) {
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return "", err
	}
	text, ok := doc[name].(string)
	if !ok {
		return "", fmt.Errorf("no text member %s in %s", name, raw)
	}
	return text, nil
}
