package bootstrap

import (
	"os"
	"path/filepath"
	"strings"

	"roster/adapters/privatefile"
	"roster/bootstrap/config"
)

// Warnings returns what is unsafe in the settings, and in the modes of the files that they name. Files that sign
// tokens are not among them: a start refuses those that other users can read.
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
	warn("database", databaseFiles(cfg)...)
	if len(cfg.TLSAutocert) > 0 {
		cache := filepath.Join(cfg.DataDir, acmeCache)
		warn("tls_autocert", append(beside(filepath.Join(cache, "")+string(filepath.Separator)), cache)...)
	}
	if cfg.TLSKey != "" {
		warn("tls_key", cfg.TLSKey)
	}
	return warnings
}

// Exposed says how other users can read or change the file or directory at path, and "" when they cannot or there
// is none.
func Exposed(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "" // what needs the file says so
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

// databaseFiles returns an embedded database's file, those that SQLite keeps beside it, and copies with its name in
// front.
func databaseFiles(cfg config.Config) []string {
	d, err := driver(cfg.Database)
	if err != nil || d.File == nil {
		return nil
	}
	return beside(d.File(cfg.Database.URL(), cfg.DataDir))
}

// beside returns the regular files whose path begins with prefix.
func beside(prefix string) []string {
	if prefix == "" {
		return nil
	}
	dir, name := filepath.Split(prefix)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), name) && !e.IsDir() {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}
