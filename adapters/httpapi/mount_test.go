package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"roster/adapters/browser"
	"roster/domain/fault"
	"roster/ports/inbound"
)

// pagesForTest shows what a mounted handler learns of a request. A POST to sign-in is a sign-in, one to mail causes a mail.
func pagesForTest() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pages/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		_, _ = fmt.Fprintf(w, "%s %q", inbound.OriginOf(r.Context()).Client.Address, browser.Read(r))
	})
	mux.HandleFunc("GET /pages/{name}/{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /pages/mail", func(w http.ResponseWriter, r *http.Request) {
		if err := browser.CountMail(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusTooManyRequests)
		}
	})
	mux.HandleFunc("POST /pages/sign-in", func(w http.ResponseWriter, r *http.Request) {
		if err := browser.CheckTransport(r); err != nil {
			http.Error(w, err.Error(), map[bool]int{true: 429, false: 403}[fault.KindOf(err) == fault.RateLimited])
		}
	})
	mux.HandleFunc("GET /pages/panic", func(http.ResponseWriter, *http.Request) { panic(errors.New("out of order")) })
	return mux
}

// Mounted pages have what every request has: an origin, security headers, recovery, a line in the log with the route. The
// API and the admin handler serve the same mount alike, and nothing of it elsewhere.
func TestMounts(t *testing.T) {
	core, logged := observer.New(zap.InfoLevel)
	set := Settings{RequestTimeout: time.Minute, MaxBody: 1024, CORSOrigins: []string{"*"}, Throttling: Throttling{
		Token: Rate{2, time.Hour}, Mail: Rate{1, time.Hour},
	}}
	mount := Mount{Path: "/pages/", Handler: pagesForTest()}
	api, err := New(Ports{Health: healthy{}}, set, nil, zap.New(core), mount)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := NewAdmin(healthy{}, Operations{}, "127.0.0.1", set, zap.New(core), mount)
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]http.Handler{"api": api, "admin": admin} {
		send := func(method, url string, headers ...string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, url, nil)
			r.RemoteAddr = "127.0.0.1:5000"
			for i := 0; i < len(headers); i += 2 {
				r.Header.Add(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		logged.TakeAll()
		w := send("GET", "http://localhost/pages/one", "Cookie", "roster=v", "Origin", evil)
		if w.Code != 200 || w.Body.String() != `127.0.0.1 "v"` || w.Header().Get("X-Frame-Options") != "DENY" ||
			w.Header().Get("Content-Security-Policy") != "default-src 'self'" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %s %v", name, w.Code, w.Body, w.Header())
		}
		lines := logged.TakeAll()
		if len(lines) != 1 || lines[0].ContextMap()["route"] != "/pages/{name}" {
			t.Errorf("%s: logged %v", name, lines)
		}
		send("GET", "http://localhost/pages/one/")
		if lines := logged.TakeAll(); len(lines) != 1 || lines[0].ContextMap()["route"] != "/pages/{name}/" {
			t.Errorf("%s: logged %v", name, lines)
		}
		if w := send("GET", "http://localhost/pages?a=b"); w.Code != 301 || w.Header().Get("Location") != "/pages/?a=b" {
			t.Errorf("%s: without the slash: %d, %s", name, w.Code, w.Header().Get("Location"))
		}
		if w := send("GET", "http://localhost/pages/panic"); w.Code != 500 {
			t.Errorf("%s: a panic: %d", name, w.Code)
		}
		for i, want := range []int{200, 200, 429} {
			if w := send("POST", "http://localhost/pages/sign-in"); w.Code != want {
				t.Errorf("%s: sign-in %d: %d, want %d", name, i, w.Code, want)
			}
		}
		for i, want := range []int{200, 429} {
			if w := send("POST", "http://localhost/pages/mail"); w.Code != want {
				t.Errorf("%s: mail %d: %d, want %d", name, i, w.Code, want)
			}
		}
		if w := send("GET", "http://localhost/pages/one"); w.Code != 200 {
			t.Errorf("%s: a page counts as a sign-in: %d", name, w.Code)
		}
		if w := send("POST", "http://id.example.org/pages/sign-in"); w.Code != map[string]int{"api": 403, "admin": 421}[name] {
			t.Errorf("%s: in clear: %d", name, w.Code)
		}
		for _, path := range []string{"/pagesx", "/x/pages/one", "//pages/one"} {
			if w := send("GET", "http://localhost"+path); w.Code != 404 && w.Code != 307 && w.Code != 301 {
				t.Errorf("%s: %s: %d", name, path, w.Code)
			}
		}
	}
}
