package deploy

import (
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"roster/bootstrap/config"
	"roster/test/support/process"
)

// probes are the paths that a health check may ask. TestProbesAnswer asks for them.
var probes = map[string]bool{"/livez": true, "/readyz": true}

// variables returns the variables of the environment that the program reads.
func variables() map[string]bool {
	known := map[string]bool{config.FileVariable: true}
	for _, s := range config.Settings() {
		known[s.Env] = true
		if s.Secret {
			known[s.Env+"_FILE"] = true
		}
	}
	return known
}

// settings returns the settings of an environment, with a database URL in every file that it names.
func settings(env map[string]string) (config.Config, error) {
	file := fstest.MapFS{"secret": {Data: []byte("postgres://roster@db/roster?sslmode=verify-full"), Mode: 0o400}}
	var environ []string
	for name, value := range env {
		if strings.HasPrefix(name, "ROSTER_") && name != config.FileVariable {
			environ = append(environ, name+"="+value)
		}
	}
	return config.Load(config.Sources{
		Environ: environ, Unsigned: true,
		ReadFile: func(string) ([]byte, error) { return fs.ReadFile(file, "secret") },
		Stat:     func(string) (fs.FileInfo, error) { return fs.Stat(file, "secret") },
	})
}

// stopping is how long the service may take to stop; closing the storage may take 10 seconds of it.
func stopping(cfg config.Config) time.Duration {
	return cfg.ShutdownDelay + cfg.ShutdownTimeout + 10*time.Second
}

var commands sync.Map // of names that were looked up, to whether they exist

// isCommand reports whether the program has a command.
func isCommand(name string) bool {
	if is, ok := commands.Load(name); ok {
		return is == true
	}
	binary, err := process.Build()
	if err != nil {
		return false
	}
	cmd := exec.Command(binary, name, "--help")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, _ := cmd.Output()
	is := strings.Contains(string(out), "Usage:\n  roster "+name)
	commands.Store(name, is)
	return is
}
