package e2e

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"roster/test/support/process"
	"roster/test/support/testenv"
)

var adminURL = regexp.MustCompile(`"admin":"([^"]+)"`)

// startWithAdmin starts a server with an admin listener and returns its URL too.
func startWithAdmin(t *testing.T, settings map[string]string) (*process.Server, string) {
	t.Helper()
	all := map[string]string{"ROSTER_ADMIN_LISTEN": "127.0.0.1:0", "ROSTER_LOG_FORMAT": "json"}
	for name, value := range settings {
		all[name] = value
	}
	s := process.Start(t, all)
	found := adminURL.FindStringSubmatch(s.Logs())
	if found == nil {
		t.Fatalf("the log does not say where the admin listener is:\n%s", s.Logs())
	}
	return s, found[1]
}

// read returns the status and the body of an answer of the admin listener.
func read(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func readAdmin(t *testing.T, address string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, req)
}

// metrics returns the values of the metrics of a server by name and labels. A histogram has the number of what it
// observed.
func metrics(t *testing.T, admin string) map[string]float64 {
	t.Helper()
	status, text := readAdmin(t, admin+"/metrics")
	same(t, "status of /metrics", status, 200)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			key := name
			for _, l := range m.GetLabel() {
				key += " " + l.GetValue()
			}
			out[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

// What happened in the service is in its metrics.
func TestMetrics(t *testing.T) {
	s, admin := startWithAdmin(t, map[string]string{"ROSTER_THROTTLE_TOKEN": "5/h"})
	ann := register(s, t, "ann@example.com")
	k := signIn(s, t, ann)
	tryToSignIn(s, t, ann.email, "wrong").want(401)
	refresh(s, t, k.refresh).want(200)
	refresh(s, t, "no token").want(401)
	call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
	call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
	call(s, t, "GET", "/nothing/"+ann.id+"/").want(404)
	call(s, t, "FORGED"+strings.Repeat("X", 30), "/api/users/", bearer(k.access)).want(405)
	tryToSignIn(s, t, ann.email, password).want(200)
	tryToSignIn(s, t, ann.email, password).want(429)

	got := metrics(t, admin)
	for name, want := range map[string]float64{
		"roster_http_requests_total 200 GET /api/users/{id}/":          2,
		"roster_http_requests_total 404 GET none":                      1,
		"roster_http_requests_total 405 other /api/users/":             1,
		"roster_http_request_duration_seconds GET /api/users/{id}/":    2,
		"roster_http_throttled_total token":                            1,
		"roster_use_cases_total ok sign_in":                            2,
		"roster_use_cases_total unauthenticated sign_in":               1,
		"roster_use_cases_total ok refresh":                            1,
		"roster_use_cases_total unauthenticated refresh":               1,
		"roster_use_cases_total ok get_user":                           2,
		"roster_storage_operation_duration_seconds users.with_session": 4,
		"roster_audit_events_total signed_in":                          2,
		"roster_audit_events_total sign_in_failed":                     1,
		"roster_audit_events_total token_reused":                       0,
		"roster_password_hash_duration_seconds":                        4,
		"roster_password_hash_wait_seconds":                            4,
		"roster_password_hash_refused_total":                           0,
		"roster_password_hash_waiting":                                 0,
		"roster_log_lines_dropped_total":                               0,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s: %v, %t, want %v", name, value, ok, want)
		}
	}
	documented, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range got {
		family, _, _ := strings.Cut(name, " ")
		if strings.HasPrefix(family, "roster_") && !strings.Contains(string(documented), "`"+family+"`") {
			t.Errorf("docs/operations.md does not name %s", family)
		}
		if strings.Contains(name, ann.id) || strings.Contains(name, "FORGED") {
			t.Errorf("a client chose a label: %s", name)
		}
	}
	if got["roster_password_hash_places"] < 1 || got["process_start_time_seconds"] == 0 || got["go_goroutines"] == 0 {
		t.Errorf("the process is missing: %v", got)
	}
	call(s, t, "GET", "/metrics").want(404) // not on the API's listener
}

// The metrics show how many mails wait and how they ended. Where mail is off they say nothing of mails.
func TestMetricsOfMails(t *testing.T) {
	s, admin := startWithAdmin(t, map[string]string{"ROSTER_MAIL": "log:"})
	ann := register(s, t, "ann@example.com")
	before := metrics(t, admin)
	for _, address := range []string{ann.email, "unknown@example.com"} {
		call(s, t, "POST", "/api/users/reset_password/", body(object{"email": address})).want(204)
	}
	const sent, dropped, waiting = "roster_mails_total password_reset sent", "roster_mails_total password_reset dropped", "roster_mails_waiting"
	got := before
	for range 10_000 {
		if got = metrics(t, admin); got[sent] > 0 && got[dropped] > 0 && got[waiting] == 0 {
			break
		}
	}
	for name, want := range map[string]float64{sent: 1, dropped: 1, waiting: 0, "roster_mails_total password_reset failed": 0} {
		if value, there := got[name]; !there || value != want {
			t.Errorf("%s: %v, %t, want %v", name, value, there, want)
		}
		if value, there := before[name]; !there || value != 0 {
			t.Errorf("%s before: %v, %t, want 0", name, value, there)
		}
	}
	if got["roster_storage_operation_duration_seconds mails.add"] != 2 {
		t.Errorf("operations of the queue: %v", got)
	}
	_, admin = startWithAdmin(t, map[string]string{"ROSTER_MAIL": "off"})
	for name := range metrics(t, admin) {
		if strings.HasPrefix(name, "roster_mail") {
			t.Errorf("mail is off: %s", name)
		}
	}
}

// Prometheus's own checker finds nothing wrong in the names, the units and the help of the metrics.
func TestMetricsPassPromtool(t *testing.T) {
	check := testenv.Promtool(t, "check", "metrics")
	s, admin := startWithAdmin(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
	status, text := readAdmin(t, admin+"/metrics")
	same(t, "status", status, 200)
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// The dashboard and the alerts are YAML, and ask for metrics that are documented, and so measured.
func TestDashboardAndAlerts(t *testing.T) {
	documented, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"grafana/roster.json", "prometheus/alerts.yml"} {
		raw, err := os.ReadFile(filepath.Join("../../deploy", path))
		if err != nil {
			t.Fatal(err)
		}
		var parsed any
		if err := yaml.Unmarshal(raw, &parsed); err != nil { // JSON is YAML too
			t.Errorf("%s: %v", path, err)
		}
		names := regexp.MustCompile(`\broster_[a-z_]+`).FindAllString(string(raw), -1)
		if len(names) == 0 {
			t.Errorf("%s names no metric", path)
		}
		for _, name := range names {
			name = regexp.MustCompile(`(_seconds|_writes)_(bucket|sum|count)$`).ReplaceAllString(name, "$1")
			if !strings.Contains(string(documented), "`"+name+"`") {
				t.Errorf("%s: there is no metric %s", path, name)
			}
		}
	}
}

// Without metrics there is nothing to read.
func TestMetricsAreOffWhenAsked(t *testing.T) {
	_, admin := startWithAdmin(t, map[string]string{"ROSTER_METRICS": "false"})
	status, _ := readAdmin(t, admin+"/metrics")
	same(t, "status", status, 404)
}

// An operator changes the level of the log while the service runs; at debug it shows what a request does.
func TestLogLevelChangesAtRunTime(t *testing.T) {
	s, admin := startWithAdmin(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	put := func(level string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, admin+"/log/level", strings.NewReader(url.Values{"level": {level}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, text := read(t, req)
		if status != 200 || !strings.Contains(text, level) {
			t.Fatalf("level %s: %d %s", level, status, text)
		}
	}
	operations := func() int { return strings.Count(s.Logs(), `"logger":"operation"`) }
	call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
	same(t, "operations logged at level info", operations(), 0)
	put("debug")
	id := call(s, t, "GET", ann.path(), bearer(k.access)).want(200).header.Get("X-Request-Id")
	put("info")
	call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
	s.Stop()
	same(t, "operations logged at level debug", operations(), 3) // authentication, its read, and the use case
	same(t, "operations of the request", strings.Count(s.Logs(), `"request_id":"`+id+`"`), 4)
	same(t, "changes that are logged", strings.Count(s.Logs(), "the log level was changed"), 2)
	if strings.Contains(s.Logs(), `"wiring"`) {
		t.Error("the log has the wiring of the program")
	}
}

// The log has a line for each request, which says what was asked, how it ended and how long it took. Requests of probes
// are not logged.
func TestRequestsAreLogged(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_LOG_FORMAT": "json"})
	call(s, t, "GET", "/livez").want(200)
	call(s, t, "GET", "/readyz").want(200)
	call(s, t, "GET", "/no/such/path").want(404)
	s.Stop()
	line := regexp.MustCompile(`"level":"info",.*"msg":"request","method":"GET","route":"none","path":"/no/such/path","status":404,"duration_ms":[0-9.]+,"bytes":[0-9]+,"client":"127.0.0.1","request_id":"[0-9a-f]{24}"}`)
	if !line.MatchString(s.Logs()) {
		t.Errorf("the log has no line such as %s:\n%s", line, s.Logs())
	}
	same(t, "lines of requests, with that of the test for the description", strings.Count(s.Logs(), `"msg":"request"`), 2)
}

// With log_requests an operator has only refused and failed requests logged, or none.
func TestFewerRequestsAreLogged(t *testing.T) {
	for setting, want := range map[string]int{"errors": 1, "off": 0} {
		s := process.Start(t, map[string]string{"ROSTER_LOG_REQUESTS": setting})
		call(s, t, "GET", "/.well-known/jwks.json").want(200)
		call(s, t, "GET", "/api/users/").want(401)
		s.Stop()
		same(t, "lines of requests with "+setting, strings.Count(s.Logs(), "/api/users/")+strings.Count(s.Logs(), "jwks"), want)
	}
}

// The request id of a trusted proxy is kept, so that its log and this one have the same. Another client's is not.
func TestRequestIDOfProxyIsKept(t *testing.T) {
	for proxies, kept := range map[string]bool{"": false, "127.0.0.0/8": true} {
		s := process.Start(t, map[string]string{"ROSTER_TRUSTED_PROXIES": proxies})
		for id, valid := range map[string]bool{
			"4bf92f3577b34da6a3ce929d0e0e4736": true, "e0bd6b1c-2a8e-4b0c-9d9b-1f0a6d8e7c5d": true,
			strings.Repeat("a", 129): false, `x" forged="1`: false, "": false,
		} {
			got := call(s, t, "GET", "/livez", header("X-Request-Id", id)).want(200).header.Get("X-Request-Id")
			if (got == id) != (kept && valid) {
				t.Errorf("trusted %q: the answer to request %q has id %q", proxies, id, got)
			}
		}
	}
}
