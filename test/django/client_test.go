package django

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// A request has only the headers of its case, Host and Content-Length.
func TestRequestsGoOutAsWritten(t *testing.T) {
	base, err := url.Parse("http://host:1/")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, path string
		headers            map[string]string
		body               []byte
		want               string
	}{
		{"no body", "GET", "/a/?b=%20", nil, nil, "GET /a/?b=%20 HTTP/1.1\r\nHost: host:1\r\n\r\n"},
		{"methods that have one", "POST", "/", nil, nil, "POST / HTTP/1.1\r\nHost: host:1\r\nContent-Length: 0\r\n\r\n"},
		{"unknown method", "PURGE", "/", nil, nil, "PURGE / HTTP/1.1\r\nHost: host:1\r\n\r\n"},
		{"body", "DELETE", "/", map[string]string{"Accept": "é"}, []byte("xy"), "DELETE / HTTP/1.1\r\nHost: host:1\r\nAccept: é\r\nContent-Length: 2\r\n\r\nxy"},
		{"its own length", "PUT", "/", map[string]string{"content-length": "1"}, []byte("x"), "PUT / HTTP/1.1\r\nHost: host:1\r\ncontent-length: 1\r\n\r\nx"},
	} {
		if got := compose(base, c.method, c.path, c.headers, c.body); string(got) != c.want {
			t.Errorf("%s: sends %q, want %q", c.name, got, c.want)
		}
	}
}

// Redirects are not followed, answers to HEAD have no body, and interim answers are skipped.
func TestAnswersAreTakenAsTheyCome(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("X-Twice", "1")
		w.Header().Add("X-Twice", "2")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusMovedPermanently)
		_, _ = io.WriteString(w, r.Method)
	}))
	defer s.Close()
	for method, body := range map[string]string{"GET": "GET", "HEAD": "", "TRACE": "TRACE"} {
		got, err := send(s.URL, method, "/", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if twice, _ := got.get("x-twice"); got.status != 301 || string(got.body) != body || twice != "1, 2" {
			t.Errorf("%s: %d %q %v", method, got.status, got.body, got.header)
		}
	}
}

// An incomplete answer is an error.
func TestIncompleteAnswersAreErrors(t *testing.T) {
	_, err := receive(bytes.NewBufferString("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), "GET")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}
