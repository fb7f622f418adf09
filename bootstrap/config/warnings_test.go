package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever the django profile has looser than standard is warned of.
func TestWarnings(t *testing.T) {
	warned := func(flags map[string]string, environ ...string) []string {
		var names []string
		for _, w := range load(t, Sources{Environ: environ, Flags: flags}).Warnings() {
			name, _, _ := strings.Cut(w, " ")
			names = append(names, name)
			if strings.Contains(w, "\n") || strings.Contains(w, marker) {
				t.Errorf("warning %q", w)
			}
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	key := "ROSTER_SIGNING_KEY=" + goodKey
	got := warned(nil, "ROSTER_PROFILE=django", key)
	want := []string{
		"access_policy", "ids", "immediate_revocation", "legacy_digests", "lenient_json", "listen", "lockout_address_failures", "max_sessions", "password_blocklist", "password_change_ends",
		"public_url", "reuse_policy", "rotate_refresh_tokens", "session_max_lifetime", "sessionless_tokens", "signing_algorithm", "throttle_register",
		"throttle_token", "throttle_user", "trim_passwords",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for setting, c := range map[string]struct {
		flags   map[string]string
		environ []string
	}{
		"listen":                 {environ: []string{"ROSTER_LISTEN=0.0.0.0:8000"}},
		"trusted_proxies":        {environ: []string{"ROSTER_TRUSTED_PROXIES=10.0.0.1,0.0.0.0/0"}},
		"cors_origins":           {environ: []string{"ROSTER_CORS_ORIGINS=*"}},
		"throttle_register":      {environ: []string{"ROSTER_THROTTLE_REGISTER="}},
		"admin_listen":           {environ: []string{"ROSTER_ADMIN_LISTEN=:8001"}},
		"public_url":             {environ: []string{"ROSTER_PUBLIC_URL=http://id.example.org/"}},
		"database":               {environ: []string{"ROSTER_DATABASE=memory:"}},
		"signing_key":            {flags: map[string]string{"signing-key": goodKey, "signing-algorithm": "HS256"}},
		"access_token_lifetime":  {environ: []string{"ROSTER_ACCESS_TOKEN_LIFETIME=2h"}},
		"refresh_token_lifetime": {environ: []string{"ROSTER_REFRESH_TOKEN_LIFETIME=721h", "ROSTER_SESSION_MAX_LIFETIME=800h"}},
		"reuse_grace":            {environ: []string{"ROSTER_REUSE_GRACE=1m"}},
	} {
		if got := warned(c.flags, c.environ...); !slices.Contains(got, setting) {
			t.Errorf("%v %v: warned of %q only, not of %s", c.flags, c.environ, got, setting)
		}
	}
	for algorithm, short := range map[string]bool{"HS256": false, "HS384": true, "HS512": true} {
		if got := warned(nil, "ROSTER_SIGNING_KEY="+goodKey[:40], "ROSTER_SIGNING_ALGORITHM="+algorithm); slices.Contains(got, "signing_key") != short {
			t.Errorf("a key of 40 bytes for %s: %q", algorithm, got)
		}
	}
	if got := warned(nil, "ROSTER_LISTEN=[::1]:8000"); !slices.Contains(got, "listen") { // one client locks all behind a proxy
		t.Errorf("loopback without trusted_proxies: warned of %q", got)
	}
	for _, quiet := range []string{
		"ROSTER_LISTEN=[::1]:8000", "ROSTER_ADMIN_LISTEN=off", "ROSTER_PUBLIC_URL=https://id.example.org", "ROSTER_PUBLIC_URL=http://localhost:8000",
		"ROSTER_LISTEN=:443 ROSTER_TLS_CERT=c ROSTER_TLS_KEY=k", "ROSTER_LISTEN=:443 ROSTER_TLS_AUTOCERT=id.example.org",
		"ROSTER_LISTEN=:8000 ROSTER_TRUSTED_PROXIES=private", "ROSTER_CORS_ORIGINS=https://app.example.org",
		"ROSTER_THROTTLE_REGISTER=off ROSTER_REGISTRATION=staff",
	} {
		environ := strings.Fields(quiet)
		if !strings.Contains(quiet, "ROSTER_LISTEN=:") { // a proxy on this machine
			environ = append(environ, "ROSTER_TRUSTED_PROXIES=127.0.0.1")
		}
		if got := warned(nil, environ...); len(got) > 0 {
			t.Errorf("%s: warned of %q", quiet, got)
		}
	}
}
