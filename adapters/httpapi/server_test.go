package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusRequestTimeout)
		return
	}
	_, _ = w.Write(b)
})

// pipeListener is a listener of in-memory connections, which the clock of a synctest bubble governs.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p pipeListener) Close() error   { close(p.done); return nil }
func (p pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// withTestServer runs test in a synctest bubble, with a server that NewServer returns.
func withTestServer(t *testing.T, h http.Handler, test func(t *testing.T, srv *http.Server, l pipeListener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := pipeListener{make(chan net.Conn), make(chan struct{})}
		srv := NewServer(h, Connections{Max: 1 << 20}, zap.NewNop())
		done := make(chan error)
		go func() { done <- srv.Serve(l) }()
		test(t, srv, l)
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// A client that sends slowly is disconnected, whatever it has sent (ASVS 13.1, slowloris).
func TestSlowRequestsTimeOut(t *testing.T) {
	for name, c := range map[string]struct {
		sends string
		after time.Duration
	}{
		"nothing":                 {"", readHeaderTimeout},
		"half a request line":     {"GET / HT", readHeaderTimeout},
		"half a header":           {"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", readHeaderTimeout},
		"half a body":             {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", readTimeout},
		"half a chunk":            {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf", readTimeout},
		"nothing after a request": {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", idleTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			withTestServer(t, echo, func(t *testing.T, _ *http.Server, l pipeListener) {
				conn := l.dial()
				defer conn.Close()
				begun := time.Now()
				go func() { _, _ = io.WriteString(conn, c.sends) }()
				_, _ = io.Copy(io.Discard, conn) // until the server closes
				if took := time.Since(begun).Truncate(time.Second); took != c.after {
					t.Errorf("closed after %v, want %v", took, c.after)
				}
			})
		})
	}
}

// A client that does not read the response is disconnected.
func TestUnreadResponseTimesOut(t *testing.T) {
	var took time.Duration
	var failed error
	large := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun := time.Now()
		_, failed = w.Write(make([]byte, 1<<20))
		took = time.Since(begun)
	})
	withTestServer(t, large, func(t *testing.T, _ *http.Server, l pipeListener) {
		conn := l.dial()
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * writeTimeout) // in the bubble
		synctest.Wait()
		if failed == nil || took > writeTimeout {
			t.Errorf("closed after %v: %v", took, failed)
		}
	})
}

// A shutdown closes connections without a request at once. It waits for an unfinished request, which is served.
func TestShutdownClosesUnusedConnections(t *testing.T) {
	withTestServer(t, echo, func(t *testing.T, srv *http.Server, l pipeListener) {
		quiet, half, busy := l.dial(), l.dial(), l.dial()
		defer quiet.Close()
		defer half.Close()
		defer busy.Close()
		for conn, text := range map[net.Conn]string{
			half: "POST / HT",
			busy: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n",
		} {
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		begun := time.Now()
		stopped := make(chan error, 1)
		go func() { stopped <- srv.Shutdown(t.Context()) }()
		synctest.Wait()
		for _, conn := range []net.Conn{quiet, half} {
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(begun) > 0 {
				t.Errorf("an unused connection, after %v: %v", time.Since(begun), err)
			}
		}
		select {
		case err := <-stopped:
			t.Fatalf("stopped before the unfinished request was served: %v", err)
		default:
		}
		if _, err := io.WriteString(busy, "here"); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReader(busy), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != "here" {
			t.Errorf("%q, %v", b, err)
		}
		if err := <-stopped; err != nil || time.Since(begun) > time.Second { // Shutdown polls every half second
			t.Errorf("stopped after %v: %v", time.Since(begun), err)
		}
	})
}

// listen serves h on a socket, over TLS if c is not nil, and returns its address.
func listen(t *testing.T, h http.Handler, c *tls.Config) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := NewServer(h, Connections{Max: 1 << 20}, zap.NewNop())
	if c == nil {
		go func() { _ = srv.Serve(l) }()
	} else {
		srv.TLSConfig = c
		go func() { _ = srv.ServeTLS(l, "", "") }()
	}
	t.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

// raw sends text on a new connection and returns all responses.
func raw(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(t.Context(), func() { conn.Close() })
	defer stop()
	go func() { _, _ = io.WriteString(conn, text) }()
	b, _ := io.ReadAll(conn)
	return string(b)
}

func TestHeadersAreBounded(t *testing.T) {
	address := listen(t, echo, nil)
	const head = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	for name, c := range map[string]struct{ headers, status string }{
		"usual":           {"X-A: " + strings.Repeat("a", 8<<10) + "\r\n", "200 OK"},
		"one long header": {"X-A: " + strings.Repeat("a", 32<<10) + "\r\n", "431 Request Header Fields Too Large"},
		"many headers":    {strings.Repeat("X-A: a\r\n", 8<<10), "431 Request Header Fields Too Large"},
	} {
		if got := raw(t, address, head+c.headers+"\r\n"); !strings.HasPrefix(got, "HTTP/1.1 "+c.status) {
			t.Errorf("%s: %.80q, want %s", name, got, c.status)
		}
	}
	if got := raw(t, address, "GET /"+strings.Repeat("a", 32<<10)+" HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("a long path: %.80q", got)
	}
}

// A request with ambiguous framing is refused, or the connection is closed after it (RFC 9112, 6.1 and 11.2).
func TestConflictingFramingIsRefused(t *testing.T) {
	e := newTestAPI(t, Settings{}, fakeApp{})
	address := strings.TrimPrefix(e.url, "http://")
	const second = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	for name, text := range map[string]string{
		"length and chunks":        "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks":                   "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":              "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
		"a signed length":          "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n",
		"chunks in another coding": "POST /api/token/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"an unknown coding":        "POST /api/token/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"a blank before the colon": "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Length : 0\r\n\r\n",
		"a folded header":          "POST /api/token/ HTTP/1.1\r\n Host: x\r\n\r\n",
		"two hosts":                "POST /api/token/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"no host":                  "POST /api/token/ HTTP/1.1\r\n\r\n",
	} {
		got := raw(t, address, text+second)
		chunked := strings.HasSuffix(name, "chunks")
		if strings.Count(got, "HTTP/1.1 ") != 1 || strings.Contains(got, `"status":"ok"`) || !strings.Contains(got, "Connection: close") ||
			!chunked && !strings.HasPrefix(got, "HTTP/1.1 400 ") && !strings.HasPrefix(got, "HTTP/1.1 501 ") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := raw(t, address, second); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("the second request alone: %q", got)
	}
}

// No response names the software of the server, also if net/http itself sends it.
func TestNoServerHeader(t *testing.T) {
	e := newTestAPI(t, Settings{}, fakeApp{})
	address := strings.TrimPrefix(e.url, "http://")
	for _, text := range []string{
		"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"malformed\r\n\r\n",
		"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
	} {
		got := strings.ToLower(raw(t, address, text))
		if !strings.HasPrefix(got, "http/1.1 ") || strings.Contains(got, "server:") || strings.Contains(got, "x-powered-by") || strings.Contains(got, "go1.") {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// HTTP/2 is offered over TLS only.
func TestHTTP2(t *testing.T) {
	proto := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	if got := raw(t, listen(t, proto, nil), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 ") {
		t.Errorf("without TLS: %q", got)
	}
	address := listen(t, proto, certificate(t))
	for forced, want := range map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"} {
		transport := &http.Transport{ForceAttemptHTTP2: forced, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(b) != want {
			t.Errorf("%s over TLS, want %s", b, want)
		}
		transport.CloseIdleConnections()
	}
	if got := raw(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.") {
		t.Errorf("plain HTTP on the port of TLS: %q", got)
	}
}

// certificate returns the test certificate of httptest.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS()
	defer srv.Close()
	return &tls.Config{Certificates: srv.TLS.Certificates, MinVersion: tls.VersionTLS12}
}
