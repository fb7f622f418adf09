package breached

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"roster/domain/credential"
)

// The SHA-1 of "password", from the documentation of the protocol.
const (
	ofPassword = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"
	prefix     = "5BAA6"
	suffix     = "1E4C9B93F3F0682250B6CF8331B7EE68FD8"
)

// other is a line of another password.
const other = "0018A45C4D1DEF81644B54AB7F969B88D65:21\r\n"

func ask(t *testing.T, timeout time.Duration, answer http.HandlerFunc) (bool, error) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	base, err := url.Parse(s.URL + "/base/")
	if err != nil {
		t.Fatal(err)
	}
	r := NewRange(base, timeout, &http.Transport{})
	t.Cleanup(r.Close)
	found, err := r.Breached(t.Context(), credential.NewPassword("password"))
	if err != nil {
		for _, secret := range []string{"password1", prefix, suffix, "5baa6", s.URL + "/base"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows %q: %v", secret, err)
			}
		}
	}
	return found, err
}

func TestRangeReceivesFiveDigits(t *testing.T) {
	var got *http.Request
	_, _ = ask(t, time.Minute, func(w http.ResponseWriter, r *http.Request) { got = r; fmt.Fprint(w, other) })
	if got.Method != "GET" || got.URL.String() != "/base/range/"+prefix || got.ContentLength != 0 {
		t.Errorf("%s %s", got.Method, got.URL)
	}
	if got.Header.Get("Add-Padding") != "true" || !strings.HasPrefix(got.Header.Get("User-Agent"), "roster") {
		t.Errorf("%v", got.Header)
	}
}

func TestRangeAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want bool
	}{
		"alone":               {suffix + ":9545824", true},
		"in the middle":       {other + suffix + ":1\r\n" + other, true},
		"in lower case":       {other + strings.ToLower(suffix) + ":1\n", true},
		"not there":           {other + other, false},
		"padding":             {other + suffix + ":0\r\n", false},
		"padding before it":   {suffix + ":0\r\n" + suffix + ":3\r\n", true},
		"large, not too much": {strings.Repeat(other, 20_000) + suffix + ":2", true},
	} {
		found, err := ask(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.body) })
		if err != nil || found != c.want {
			t.Errorf("%s: %t, %v", name, found, err)
		}
	}
}

// An invalid answer is an error, and never means that the password was found.
func TestRangeFailures(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t.Error("a redirect was followed")
		fmt.Fprint(w, suffix+":5")
	}))
	t.Cleanup(elsewhere.Close)
	plain := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); fmt.Fprint(w, suffix+":5") }
	}
	for name, answer := range map[string]http.HandlerFunc{
		"429":              status(429),
		"500":              status(500),
		"503":              status(503),
		"204":              status(204),
		"redirect":         func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"empty":            plain(""),
		"HTML":             plain("<!doctype html><title>Log in to the hotel</title>" + suffix + ":5"),
		"garbage":          plain("\x00\xff\xfe garbage \x01"),
		"garbage behind":   plain(suffix + ":5\r\ngarbage\r\n"),
		"no count":         plain(suffix + ":\r\n"),
		"negative count":   plain(suffix + ":-5\r\n"),
		"whole hashes":     plain(ofPassword + ":5\r\n"),
		"a very long line": plain(strings.Repeat("0", 5000) + ":5"),
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, suffix+":5\r\n"+strings.Repeat(other, maxAnswer/len(other)))
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, other)
		},
		"connection lost": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		if found, err := ask(t, time.Minute, answer); found || err == nil {
			t.Errorf("%s: %t, %v", name, found, err)
		}
	}
}

// Neither a silent nor a slow server delays a registration.
func TestRangeGivesUp(t *testing.T) {
	for name, first := range map[string]string{"silent": "", "trickling": other} {
		_, err := ask(t, 20*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			if first != "" {
				fmt.Fprint(w, first)
				_ = http.NewResponseController(w).Flush()
			}
			<-r.Context().Done() // the client has closed the connection
		})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	base, _ := url.Parse("http://127.0.0.1:1")
	if _, err := NewRange(base, time.Minute, &http.Transport{}).Breached(ctx, credential.NewPassword("password")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
}
