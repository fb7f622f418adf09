package deploy

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"roster/bootstrap/config"
	"roster/test/support/process"
)

const (
	unitFile     = "deploy/systemd/roster.service"
	settingsFile = "deploy/debian/roster.yaml"
	packageFile  = "deploy/debian/nfpm.yaml"
)

var directive = regexp.MustCompile(`(?m)^(\w+)=(.*)$`)

// environmentOf returns the variables that the unit sets.
func environmentOf(unit string) map[string]string {
	env := map[string]string{}
	for _, m := range directive.FindAllStringSubmatch(unit, -1) {
		if name, value, ok := strings.Cut(m[2], "="); ok && m[1] == "Environment" {
			env[name] = value
		}
	}
	return env
}

// unit checks the unit, the settings file and the list of the Debian package.
func (f *finding) unit(files map[string]string) {
	values := map[string]string{}
	for _, m := range directive.FindAllStringSubmatch(files[unitFile], -1) {
		values[m[1]] = m[2]
	}
	if start := strings.Fields(values["ExecStart"]); len(start) != 2 || !isCommand(start[1]) {
		f.add(unitFile, "ExecStart=%s is no command", values["ExecStart"])
	}
	env := environmentOf(files[unitFile])
	if env["ROSTER_DATA_DIR"] != "/var/lib/"+values["StateDirectory"] {
		f.add(unitFile, "data_dir is not the StateDirectory")
	}
	// With every line that is commented out, since an administrator will uncomment it.
	yaml := fstest.MapFS{"s": {Data: []byte(regexp.MustCompile(`(?m)^#(\w+:)`).ReplaceAllString(files[settingsFile], "$1")), Mode: 0o640}}
	cfg, err := config.Load(config.Sources{
		File: "s", Unsigned: true,
		ReadFile: func(name string) ([]byte, error) { return fs.ReadFile(yaml, name) },
		Stat:     func(name string) (fs.FileInfo, error) { return fs.Stat(yaml, name) },
	})
	if err != nil {
		f.add(settingsFile, "%v", err)
	} else if stop, err := time.ParseDuration(values["TimeoutStopSec"]); err != nil || stop < stopping(cfg) {
		f.add(unitFile, "TimeoutStopSec is shorter than a stop, %s", stopping(cfg))
	}
	docs := f.documents(files, packageFile)
	if len(docs) != 1 {
		return
	}
	installed := map[string]bool{}
	for _, c := range docs[0].at("contents").list() {
		installed[c.at("dst").text()] = true
		if src := c.at("src").text(); !strings.HasPrefix(src, "$") && !exists(src) {
			f.add(packageFile, "there is no %s", src)
		}
	}
	for _, path := range []string{strings.Fields(values["ExecStart"] + " ?")[0], env["ROSTER_CONFIG"], "/lib/systemd/system/roster.service"} {
		if !installed[path] {
			f.add(packageFile, "%s is not installed", path)
		}
	}
}

// systemd finds no fault in the unit, and an exposure of at most 1.5, of 10.
func TestUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip(err)
	}
	binary, err := process.Build()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "roster.service")
	text := strings.Replace(sources(t)[unitFile], "/usr/bin/roster", binary, 1)
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", unit}, {"security", "--offline=true", "--threshold=15", "--no-pager", unit}} {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
		if err != nil || args[0] == "verify" && strings.Contains(string(out), unit) {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}

// HAProxy accepts its configuration.
func TestProxyConfiguration(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip(err)
	}
	out, err := exec.CommandContext(t.Context(), "haproxy", "-c", "-f", filepath.Join(root, "deploy/compose/haproxy.cfg")).CombinedOutput()
	if err != nil || strings.Contains(string(out), "WARNING") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The paths of health checks answer on both listeners.
func TestProbesAnswer(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_ADMIN_LISTEN": "127.0.0.1:0"})
	admin := regexp.MustCompile(`"admin":"([^"]+)"`).FindStringSubmatch(s.Logs())
	if admin == nil {
		t.Fatal("no admin listener")
	}
	for path := range probes {
		for _, base := range []string{s.URL, admin[1]} {
			if status := get(t, base+path); status != 200 {
				t.Errorf("%s%s: %d", base, path, status)
			}
		}
	}
}
