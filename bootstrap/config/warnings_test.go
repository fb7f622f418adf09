package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every setting of profile django that is less strict than standard has a warning.
func TestWarnings(t *testing.T) {
	warned := func(flags map[string]string, environ ...string) []string {
		var names []string
		for _, w := range load(t, Sources{Environ: environ, Flags: flags}).Warnings() {
			name, _, _ := strings.Cut(w.Text, " ")
			names = append(names, name)
			if strings.Contains(w.Text, "\n") || strings.Contains(w.Text, marker) || name != w.Setting {
				t.Errorf("warning %q", w.Text)
			}
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	key := "ROSTER_SIGNING_KEY=" + goodKey
	got := warned(nil, "ROSTER_PROFILE=django", key)
	want := []string{
		"access_policy", "ids", "immediate_revocation", "legacy_digests", "lenient_json", "link_tokens", "listen", "lockout_address_failures", "max_sessions", "password_blocklist", "password_change_ends", "password_reset_lifetime",
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
		"listen":                   {environ: []string{"ROSTER_LISTEN=0.0.0.0:8000"}},
		"trusted_proxies":          {environ: []string{"ROSTER_TRUSTED_PROXIES=10.0.0.1,0.0.0.0/0"}},
		"cors_origins":             {environ: []string{"ROSTER_CORS_ORIGINS=*"}},
		"throttle_register":        {environ: []string{"ROSTER_THROTTLE_REGISTER="}},
		"admin_listen":             {environ: []string{"ROSTER_ADMIN_LISTEN=:8001"}},
		"public_url":               {environ: []string{"ROSTER_PUBLIC_URL=http://id.example.org/"}},
		"database":                 {environ: []string{"ROSTER_DATABASE=memory:"}},
		"signing_key":              {flags: map[string]string{"signing-key": goodKey, "signing-algorithm": "HS256"}},
		"access_token_lifetime":    {environ: []string{"ROSTER_ACCESS_TOKEN_LIFETIME=2h"}},
		"refresh_token_lifetime":   {environ: []string{"ROSTER_REFRESH_TOKEN_LIFETIME=721h", "ROSTER_SESSION_MAX_LIFETIME=800h"}},
		"mail":                     {environ: []string{"ROSTER_LISTEN=0.0.0.0:8000", "ROSTER_PUBLIC_URL=https://id.example.org", "ROSTER_MAIL=log:"}},
		"mail_per_hour":            {environ: []string{"ROSTER_MAIL_PER_HOUR=0"}},
		"access_policy":            {environ: []string{"ROSTER_LISTEN=0.0.0.0:8000"}},
		"signing_key_fallbacks":    {environ: []string{key, "ROSTER_SIGNING_KEY_FALLBACKS=" + goodKey + "1\n'" + goodKey + "2'"}},
		"browser_sessions":         {environ: []string{"ROSTER_BROWSER_SESSIONS=on"}},
		"browser_session_lifetime": {environ: []string{"ROSTER_BROWSER_SESSION_LIFETIME=337h"}},
		"browser_origins":          {environ: []string{"ROSTER_BROWSER_SESSIONS=on", "ROSTER_BROWSER_ORIGINS=http://app.example.org"}},
		"reuse_grace":              {environ: []string{"ROSTER_REUSE_GRACE=1m"}},
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
	if got := warned(nil, "ROSTER_LISTEN=[::1]:8000"); !slices.Contains(got, "listen") { // behind a proxy one client would lock all
		t.Errorf("loopback without trusted_proxies: warned of %q", got)
	}
	for _, quiet := range []string{
		"ROSTER_LISTEN=[::1]:8000", "ROSTER_ADMIN_LISTEN=off", "ROSTER_PUBLIC_URL=https://id.example.org", "ROSTER_PUBLIC_URL=http://localhost:8000",
		"ROSTER_LISTEN=:443 ROSTER_TLS_CERT=c ROSTER_TLS_KEY=k", "ROSTER_LISTEN=:443 ROSTER_TLS_AUTOCERT=id.example.org",
		"ROSTER_LISTEN=:8000 ROSTER_TRUSTED_PROXIES=private", "ROSTER_CORS_ORIGINS=https://app.example.org",
		"ROSTER_BROWSER_SESSIONS=on ROSTER_BROWSER_ORIGINS=https://app.example.org,http://localhost:3000",
		"ROSTER_THROTTLE_REGISTER=off ROSTER_REGISTRATION=staff",
	} {
		environ := append(strings.Fields(quiet), "ROSTER_ACCESS_POLICY=private")
		if !strings.Contains(quiet, "ROSTER_LISTEN=:") { // a proxy on this machine
			environ = append(environ, "ROSTER_TRUSTED_PROXIES=127.0.0.1")
		}
		if got := warned(nil, environ...); len(got) > 0 {
			t.Errorf("%s: warned of %q", quiet, got)
		}
	}
}

// A warning about a default of the profile is marked, and one about a setting is not.
func TestWarningsOfProfile(t *testing.T) {
	of := map[string]bool{}
	for _, w := range load(t, Sources{Environ: []string{"ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY=" + goodKey, "ROSTER_LISTEN=:8000", "ROSTER_THROTTLE_TOKEN=off", "ROSTER_REUSE_GRACE=1m"}}).Warnings() {
		of[w.Setting] = w.OfProfile
	}
	for name, want := range map[string]bool{"access_policy": true, "signing_algorithm": true, "throttle_token": true, "listen": false, "reuse_grace": false} {
		if got, warned := of[name]; !warned || got != want {
			t.Errorf("%s: of the profile: %v, warned of: %v; want %v", name, got, warned, want)
		}
	}
}

// Any client that registers reads the addresses of all users where both are as in profile standard, and the service is not
// restricted to this machine.
func TestOpenRegistrationWithDirectory(t *testing.T) {
	for environ, want := range map[string]bool{
		"ROSTER_LISTEN=127.0.0.1:8000":                                  false,
		"ROSTER_LISTEN=127.0.0.1:8000 ROSTER_TRUSTED_PROXIES=127.0.0.1": true,
		"ROSTER_LISTEN=:8000":                                           true,
		"ROSTER_LISTEN=:8000 ROSTER_REGISTRATION=staff":                 false,
		"ROSTER_LISTEN=:8000 ROSTER_ACCESS_POLICY=private":              false,
	} {
		got := false
		for _, w := range load(t, Sources{Environ: strings.Fields(environ)}).Warnings() {
			got = got || w.Setting == "access_policy" && strings.Contains(w.Text, "any client that registers")
		}
		if got != want {
			t.Errorf("%s: warned: %v, want %v", environ, got, want)
		}
	}
}

// A key with surrounding blanks, line feeds or quotes is used unchanged, with a warning; a URL with them is refused.
func TestAroundSecrets(t *testing.T) {
	for text, want := range map[string]bool{
		goodKey: false, "'" + goodKey: false, goodKey + "\n": true, " " + goodKey: true, goodKey + "\t": true,
		"'" + goodKey + "'": true, `"` + goodKey + `"`: true,
	} {
		for name, s := range map[string]Sources{
			"variable": {Environ: []string{"ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY=" + text}},
			"file":     {Environ: []string{"ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY_FILE=key"}},
		} {
			if name == "file" {
				files := secretFile(text+"\n", 0o600)
				s.ReadFile, s.Stat = files.ReadFile, files.Stat
			}
			got := false
			for _, w := range load(t, s).Warnings() {
				got = got || w.Setting == "signing_key" && strings.Contains(w.Text, "around it are part of the key")
			}
			if got != want {
				t.Errorf("%s: %q: warned: %v, want %v", name, text, got, want)
			}
		}
	}
	for _, text := range []string{"postgres://u:" + marker + "@h/d\n", `"postgres://u:` + marker + `@h/d"`, " postgres://u:" + marker + "@h/d"} {
		_, err := Load(Sources{Environ: []string{"ROSTER_DATABASE=" + text}})
		if err == nil || strings.Contains(err.Error(), marker) || !strings.Contains(err.Error(), "ROSTER_DATABASE: has blanks, line feeds or quotes around it") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// There is a warning about a server on another machine if its certificate is not verified.
func TestUnverifiedServers(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://u@db.example.org/d":                                         true,
		"postgresql://u@db.example.org/d?sslmode=require":                       true,
		"postgres://u@127.0.0.1,db2/d?sslmode=prefer":                           true,
		"postgres:///d?host=db":                                                 true,
		"postgres://u@db.example.org/d?sslmode=verify-full":                     false,
		"postgres://u@db.example.org/d?sslmode=require&sslrootcert=/etc/ca.pem": false,
		"postgres://u@localhost:5432/d":                                         false,
		"postgres://u@[::1]/d":                                                  false,
		"postgres:///d?host=/run/postgresql":                                    false,
		"mongodb://db.example.org/d":                                            true,
		"mongodb://db.example.org/d?tls=true":                                   false,
		"mongodb://db.example.org/d?tls=true&tlsInsecure=true":                  true,
		"mongodb+srv://db.example.org/d":                                        false,
		"mongodb://localhost/d":                                                 false,
		"sqlite:":                                                               false,
	} {
		d, err := ParseDatabase(url)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.unverified(); got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}
