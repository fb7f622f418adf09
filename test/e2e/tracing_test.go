package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"roster/test/support/process"
)

// collector is an OTLP receiver.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*otlp.Span
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var data otlp.TracesData
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(body, &data)
		}
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s: %v", r.URL, r.Header.Get("Content-Type"), err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range data.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// paths returns the spans of a trace, each as the names from the request down to it, in the order of their beginnings.
func (c *collector) paths(trace string) (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	byID := map[string]*otlp.Span{}
	for _, s := range c.spans {
		byID[string(s.GetSpanId())] = s
	}
	for _, s := range c.spans {
		if hex.EncodeToString(s.GetTraceId()) != trace {
			continue
		}
		path := s.GetName()
		for p := byID[string(s.GetParentSpanId())]; p != nil; p = byID[string(p.GetParentSpanId())] {
			path = p.GetName() + " > " + path
		}
		out = append(out, path)
	}
	return out
}

// A collector gets the spans of each request, and the log and problem answers name the trace.
func TestTraces(t *testing.T) {
	c := newCollector(t)
	s := process.Start(t, map[string]string{
		"ROSTER_TRACES_URL": c.URL + "/v1/traces", "ROSTER_TRUSTED_PROXIES": "127.0.0.0/8", "ROSTER_LOG_FORMAT": "json",
	})
	ann, k := arrive(s, t, "ann@example.com")
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	traceparent := header("Traceparent", "00-"+trace+"-"+parent+"-01")
	call(s, t, "GET", ann.path(), bearer(k.access), traceparent).want(200)
	problem := call(s, t, "GET", "/api/users/none/", bearer(k.access), traceparent, header("Accept", "application/problem+json")).want(404)
	same(t, "trace_id of the problem", problem.text("trace_id"), trace)
	tryToSignIn(s, t, ann.email, "Marker-wrong-4712-horse").want(401)
	s.Stop()

	same(t, "lines of the log with the trace", strings.Count(s.Logs(), `"trace_id":"`+trace+`"`), 2)
	want := map[string]bool{
		"GET /api/users/{id}/":                                     true,
		"GET /api/users/{id}/ > authenticate":                      true,
		"GET /api/users/{id}/ > authenticate > users.with_session": true,
		"GET /api/users/{id}/ > get_user":                          true,
	}
	got := map[string]bool{}
	for _, path := range c.paths(trace) {
		got[path] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	signIns, begun := 0, 0
	for _, span := range c.spans {
		if span.GetName() == "POST /api/token/" {
			signIns++
		}
		if string(span.GetParentSpanId()) == "" {
			begun++
		}
		if text := span.String(); strings.Contains(text, "Marker") || strings.Contains(text, "ann@") || strings.Contains(text, ann.id) {
			t.Errorf("a span has what a client sent: %s", text)
		}
	}
	if signIns != 2 || begun < 3 {
		t.Errorf("%d sign-ins and %d traces that began here, want 2 and at least 3", signIns, begun)
	}
}

// A client that is no trusted proxy cannot choose the trace; without a receiver nothing is traced; a receiver that is
// away changes no answer.
func TestTracesOfOthers(t *testing.T) {
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	c := newCollector(t)
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	for name, settings := range map[string]map[string]string{
		"untrusted": {"ROSTER_TRACES_URL": c.URL + "/v1/traces", "ROSTER_TRUSTED_PROXIES": ""},
		"off":       {"ROSTER_TRUSTED_PROXIES": "127.0.0.0/8"},
		"none":      {"ROSTER_TRACES_URL": c.URL + "/v1/traces", "ROSTER_TRACES_PERCENT": "0"},
		"away":      {"ROSTER_TRACES_URL": away.URL + "/v1/traces"},
	} {
		t.Run(name, func(t *testing.T) {
			s := process.Start(t, settings)
			ann, k := arrive(s, t, "ann@example.com")
			call(s, t, "GET", ann.path(), bearer(k.access), header("Traceparent", traceparent)).want(200)
			s.Stop()
			if strings.Contains(s.Logs(), "4bf92f3577b34da6a3ce929d0e0e4736") {
				t.Error("the client chose the trace")
			}
			if traced := strings.Contains(s.Logs(), "trace_id"); traced != (name == "untrusted" || name == "away") {
				t.Errorf("requests are traced: %t", traced)
			}
			if warned := strings.Contains(s.Logs(), "spans were not sent"); warned != (name == "away") {
				t.Errorf("the log warns: %t", warned)
			}
		})
	}
	same(t, "spans of the trace", len(c.paths("4bf92f3577b34da6a3ce929d0e0e4736")), 0)
}

// The request to the service for breached passwords belongs to the trace of the registration that needs it, and has no
// trace context when nothing is traced.
func TestTraceGoesOut(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	c := newCollector(t)
	for name, want := range map[string]string{"traced": "01", "not chosen": "00", "off": ""} {
		t.Run(name, func(t *testing.T) {
			var sent http.Header
			breaches := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent = r.Header
				_, _ = io.WriteString(w, strings.Repeat("0", 35)+":7\r\n")
			}))
			t.Cleanup(breaches.Close)
			settings := map[string]string{"ROSTER_BREACHED_PASSWORDS": breaches.URL, "ROSTER_TRUSTED_PROXIES": "127.0.0.0/8"}
			if want != "" {
				settings["ROSTER_TRACES_URL"] = c.URL + "/v1/traces"
			}
			s := process.Start(t, settings)
			form := map[string]any{"email": "ann@example.com", "password": "Marker-wrong-4712-horse", "first_name": "Ann", "last_name": "Lee"}
			call(s, t, "POST", "/api/users/", body(form), header("Traceparent", "00-"+trace+"-00f067aa0ba902b7-"+want)).want(201)
			s.Stop()
			if want == "" {
				same(t, "traceparent", sent.Get("Traceparent"), "")
				return
			}
			parts := strings.Split(sent.Get("Traceparent"), "-")
			if len(parts) != 4 || parts[1] != trace || parts[3] != want {
				t.Fatalf("the request to the other service has traceparent %q", parts)
			}
			found := false
			for _, span := range c.spans {
				found = found || hex.EncodeToString(span.GetSpanId()) == parts[2] && span.GetName() == "GET"
				if strings.Contains(span.String(), "/range/") {
					t.Errorf("a span has a part of the hash: %s", span)
				}
			}
			if found != (name == "traced") {
				t.Errorf("the span of the request was sent: %t", found)
			}
		})
	}
	if paths := c.paths(trace); !slices.Contains(paths, "POST /api/users/ > register > GET") {
		t.Errorf("no span of the request below its use case: %q", paths)
	}
}
