package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

const password = "four wide purple boats "

// bound is when a request is given up. The service answers within its request_timeout, by default 15 s; the rest is for
// a busy machine.
const bound = 60 * time.Second

var connections = &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}

// object is a JSON object.
type object = map[string]any

// answer is the response to a request, or why there is none.
type answer struct {
	status int
	header http.Header
	raw    []byte
	err    error
}

// body returns the JSON object of the body, nil without one.
func (a answer) body() object {
	var out object
	if json.Unmarshal(a.raw, &out) != nil {
		return nil
	}
	return out
}

// text returns a member of the body that is a text, "" without one.
func (a answer) text(name string) string {
	text, _ := a.body()[name].(string)
	return text
}

// ask sends a request.
func ask(url, method, path, token string, body any) answer {
	return askWith(url, method, path, token, nil, body)
}

// askWith is ask with further headers.
func askWith(url, method, path, token string, header map[string]string, body any) (a answer) {
	var sent bytes.Buffer
	if body != nil {
		if a.err = json.NewEncoder(&sent).Encode(body); a.err != nil {
			return a
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url+path, &sent)
	if err != nil {
		return answer{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	res, err := connections.RoundTrip(r)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	a.raw, a.err = io.ReadAll(res.Body)
	a.status, a.header = res.StatusCode, res.Header
	return a
}
