package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/test/support/process"
)

// A service with a broken configuration does not start. It names every setting at fault, shows no secret, and exits
// with 1.
func TestBrokenConfiguration(t *testing.T) {
	const secret = "too-short-4711"
	occupied, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer occupied.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	exposed := filepath.Join(dir, "exposed")
	if err := os.WriteFile(exposed, []byte("pk3mVq9wZr7tYxB2nLd8sHc5jFg1aUe4"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  map[string]string
		hide []string
	}{
		"unknown profile":      {map[string]string{"ROSTER_PROFILE": "lax"}, []string{"ROSTER_PROFILE"}},
		"unknown variable":     {map[string]string{"ROSTER_PROFIL": "strict"}, []string{"ROSTER_PROFIL"}},
		"no duration":          {map[string]string{"ROSTER_ACCESS_TOKEN_LIFETIME": "soon"}, []string{"ROSTER_ACCESS_TOKEN_LIFETIME"}},
		"negative duration":    {map[string]string{"ROSTER_REFRESH_TOKEN_LIFETIME": "-1h"}, []string{"ROSTER_REFRESH_TOKEN_LIFETIME"}},
		"no number":            {map[string]string{"ROSTER_PAGE_SIZE": "many"}, []string{"ROSTER_PAGE_SIZE"}},
		"no truth":             {map[string]string{"ROSTER_ROTATE_REFRESH_TOKENS": "perhaps"}, []string{"ROSTER_ROTATE_REFRESH_TOKENS"}},
		"no address":           {map[string]string{"ROSTER_LISTEN": "here"}, []string{"ROSTER_LISTEN"}},
		"too short a minimum":  {map[string]string{"ROSTER_PASSWORD_MIN_LENGTH": "4"}, []string{"ROSTER_PASSWORD_MIN_LENGTH"}},
		"short key":            {map[string]string{"ROSTER_SIGNING_KEY": secret}, []string{"ROSTER_SIGNING_KEY"}},
		"key that is needed":   {map[string]string{"ROSTER_PROFILE": "django"}, []string{"ROSTER_SIGNING_KEY"}},
		"key that others read": {map[string]string{"ROSTER_SIGNING_KEY_FILE": exposed}, []string{"ROSTER_SIGNING_KEY_FILE"}},
		"key that is not there": {map[string]string{"ROSTER_SIGNING_KEY_FILE": filepath.Join(dir, "nothing")},
			[]string{"ROSTER_SIGNING_KEY_FILE"}},
		"key in two places": {map[string]string{"ROSTER_SIGNING_KEY_FILE": exposed, "ROSTER_SIGNING_KEY": secret},
			[]string{"ROSTER_SIGNING_KEY"}},
		"unknown storage": {map[string]string{"ROSTER_DATABASE": "oracle://host/db"}, []string{"ROSTER_DATABASE"}},
		"several": {map[string]string{"ROSTER_PAGE_SIZE": "0", "ROSTER_LOG_LEVEL": "loud", "ROSTER_SIGNING_KEY": secret},
			[]string{"ROSTER_PAGE_SIZE", "ROSTER_LOG_LEVEL", "ROSTER_SIGNING_KEY"}},
		"port in use":           {map[string]string{"ROSTER_LISTEN": occupied.Addr().String()}, []string{occupied.Addr().String()}},
		"data directory a file": {map[string]string{"ROSTER_DATA_DIR": file}, []string{file}},
	} {
		t.Run(name, func(t *testing.T) {
			s := process.Prepare(t, c.env)
			stdout, stderr, code := s.CLI("serve")
			same(t, "exit code", code, 1)
			for _, word := range c.hide {
				if !strings.Contains(stderr, word) {
					t.Errorf("%s is not named:\n%s%s", word, stdout, stderr)
				}
			}
			for _, word := range []string{secret, "pk3mVq9wZr7t", "goroutine ", `"serving"`} {
				if strings.Contains(stdout+stderr, word) {
					t.Errorf("%s is shown:\n%s%s", word, stdout, stderr)
				}
			}
		})
	}
}

// An error in the configuration file is reported with name and line. A variable takes precedence over the file.
func TestConfigurationFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "roster.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := process.Prepare(t, map[string]string{"ROSTER_PAGE_SIZE": "9"})
	write("page_size: 3\nlog_level: warn\n")
	out := s.MustCLI("check", "--config", file)
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "page_size") && !strings.Contains(line, "9") || strings.Contains(line, "log_level") && !strings.Contains(line, "warn") {
			t.Errorf("check shows %q", line)
		}
	}
	write("page_size: 3\nlog_levle: warn\n")
	if _, stderr, code := s.CLI("check", "--config", file); code != 1 || !strings.Contains(stderr, file+":2") || !strings.Contains(stderr, "log_levle") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	_, stderr, code := s.CLI("check", "--config", file+".none")
	if code != 1 || !strings.Contains(stderr, file+".none") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// Settings that are less strict than the standard profile are logged when the service starts.
func TestLooseSettingsAreLogged(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PROFILE": "django", "ROSTER_SIGNING_KEY": "pk3mVq9wZr7tYxB2nLd8sHc5jFg1aUe4"})
	if !strings.Contains(s.Logs(), "access_policy") {
		t.Errorf("the log has no warning of an access policy that lets every user change every user:\n%s", s.Logs())
	}
}
