package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/test/support/testenv"
)

// promtool checks and runs the tests of the alerts with other text in the rules, and returns its output.
func promtool(t *testing.T, old, replacement string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	rules, err := os.ReadFile(filepath.Join(root, "deploy/prometheus/alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("testdata/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(rules), old) {
		t.Errorf("the rules have no %q", old)
	}
	rules = []byte(strings.Replace(string(rules), old, replacement, 1))
	for name, text := range map[string][]byte{"alerts.rules.yml": rules, "alerts.yml": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	checked, err := testenv.Promtool(t, "check", "rules", filepath.Join(dir, "alerts.rules.yml")).CombinedOutput()
	if err != nil {
		return string(checked), err
	}
	tested, err := testenv.Promtool(t, "test", "rules", filepath.Join(dir, "alerts.yml")).CombinedOutput()
	return string(checked) + string(tested), err
}

// Each alert fires for what it is for, and none without trouble.
func TestAlerts(t *testing.T) {
	if out, err := promtool(t, "", ""); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Each of these faults in the rules is found.
func TestAlertsRevealPlantedFaults(t *testing.T) {
	for _, c := range []struct{ old, replacement string }{
		{"sum by (route) (rate", "sum by (route) rate"},
		{"severity: critical", "se-verity: critical"},
		{`up{job="roster"} == 0`, `up{job="roster"} == 1`},
		{"> 0.01 *", "> 0.1 *"},
		{"> 0.01 *", "> 0.0001 *"},
		{" or vector(0)", ""},
		{"roster_log_lines_dropped_total", "roster_log_lines_total"},
		{"_seconds_bucket[5m]))) > 1", "_seconds_bucket[5m]))) > 10"},
		{"[1h])) > 10", "[1h])) > 0"},
		{"process_open_fds > 0.8", "process_open_fds > 0.08"},
		{"kind=\"token_reused\"", "kind=\"token_used\""},
	} {
		if out, err := promtool(t, c.old, c.replacement); err == nil {
			t.Errorf("%q instead of %q is not found: %s", c.replacement, c.old, out)
		}
	}
}
