package bootstrap

import (
	"os"
	"path/filepath"
	"strings"

	"roster/adapters/privatefile"
	"roster/bootstrap/config"
)

// Warnings returns what is unsafe in the settings, and in the modes of the files that they name, except files of signing
// keys: a start refuses those that other users can read.
func Warnings(cfg config.Config) []config.Warning {
	warnings := cfg.Warnings()
	warn := func(setting string, paths ...string) {
		for _, path := range paths {
			if reason := Exposed(path); reason != "" {
				warnings = append(warnings, config.Warning{Setting: setting, Text: setting + ": " + reason})
			}
		}
	}
	warn("data_dir", cfg.DataDir)
	if d, err := driver(cfg.Database); err == nil && d.File != nil { // also files and copies with a longer name
		warn("database", withPrefix(d.File(cfg.Database.URL(), cfg.DataDir))...)
	}
	if len(cfg.TLSAutocert) > 0 {
		cache := filepath.Join(cfg.DataDir, acmeCache)
		warn("tls_autocert", append(withPrefix(cache+string(filepath.Separator)), cache)...)
	}
	warn("tls_key", cfg.TLSKey)
	return warnings
}

// Exposed says how other users can read or change the file or directory at path; "" when they cannot, or there is none.
func Exposed(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "" // opening it reports the error
	}
	reason := privatefile.Exposed(info)
	if reason == "" {
		return ""
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return path + ": " + reason
}

// withPrefix returns the files with a path that begins with prefix, none for "".
func withPrefix(prefix string) []string {
	if prefix == "" {
		return nil
	}
	dir, name := filepath.Split(prefix)
	entries, _ := os.ReadDir(filepath.Clean(dir)) // "." for ""
	var out []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), name) && !e.IsDir() {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}
