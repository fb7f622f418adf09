package config

import (
	"maps"
	"slices"
	"strings"
)

// usual are names that settings have in other programs.
var usual = map[string]string{
	"port": "listen", "p": "listen", "host": "listen", "addr": "listen", "address": "listen", "bind": "listen",
	"database_url": "database", "db": "database", "db_url": "database", "dsn": "database",
	"secret_key": "signing_key", "secret": "signing_key", "jwt_secret": "signing_key", "debug": "log_level",
	"allowed_origins": "cors_origins", "cors_allowed_origins": "cors_origins", "base_url": "public_url", "data": "data_dir",
}

// Meant suggests the flag that a misspelt one was probably meant to be, as "; did you mean --listen?". The flags are
// those of the settings, and others.
func Meant(flag string, others ...string) string {
	known := keys(dashed)
	for _, o := range others {
		known["--"+o] = o
	}
	return meant("--"+flag, known)
}

var nameOf = strings.NewReplacer(envPrefix, "", "--", "", "-", "_")

// meant suggests the key of known that a misspelt one was probably meant to be.
func meant(key string, known map[string]string) string {
	name := usual[strings.ToLower(nameOf.Replace(key))]
	best, least := "", max(2, len(key)/5)+1
	for _, k := range slices.Sorted(maps.Keys(known)) {
		d := distance(key, k)
		if name != "" && known[k] == name {
			d = -1
		}
		if d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance returns the Levenshtein distance: how many bytes to insert, delete or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
