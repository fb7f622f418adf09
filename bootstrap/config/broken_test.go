package config

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// marker is in every secret of the broken configurations; no fault may repeat it.
const marker = "hunter2"

const goodKey = marker + "-0123456789-abcdefghijklmnopqrstuvwxyz"

// sources returns Sources with the files of a map, each with its mode.
func sources(files fstest.MapFS) Sources {
	return Sources{
		ReadFile: func(name string) ([]byte, error) { return fs.ReadFile(files, name) },
		Stat:     func(name string) (fs.FileInfo, error) { return fs.Stat(files, name) },
	}
}

func file(content string) fstest.MapFS {
	return fstest.MapFS{"roster.yaml": {Data: []byte(content), Mode: 0o600}}
}

func secretFile(content string, mode fs.FileMode) fstest.MapFS {
	return fstest.MapFS{"key": {Data: []byte(content), Mode: mode}}
}

// Each broken configuration is reported in one line that names what to change and says why.
func TestBroken(t *testing.T) {
	type broken struct {
		name  string
		env   []string
		flags map[string]string
		file  string // content of roster.yaml, "" for no file
		files fstest.MapFS
		want  []string // each fault, in order: the setting and the beginning of the reason
	}
	env := func(entries ...string) []string { return entries }
	key := "ROSTER_SIGNING_KEY=" + goodKey
	for _, c := range []broken{
		{name: "unknown variable", env: env("ROSTER_PAGESIZE=5"), want: []string{"ROSTER_PAGESIZE: unknown variable; did you mean ROSTER_PAGE_SIZE?"}},
		{name: "unknown variable like nothing", env: env("ROSTER_FLUX_CAPACITOR=" + marker), want: []string{"ROSTER_FLUX_CAPACITOR: unknown variable"}},
		{name: "unknown flag", flags: map[string]string{"page-sise": "5"}, want: []string{"--page-sise: unknown flag; did you mean --page-size?"}},
		{name: "unknown file key", file: "page_sise: 5", want: []string{"roster.yaml:1: page_sise: unknown key; did you mean page_size?"}},
		{name: "file key in another case", file: "Page_size: 5", want: []string{"roster.yaml:1: Page_size: unknown key; did you mean page_size?"}},
		{name: "unknown profile", env: env("ROSTER_PROFILE=djagno"), want: []string{`ROSTER_PROFILE: must be one of django, standard, strict, not "djagno"`}},
		{name: "empty profile", env: env("ROSTER_PROFILE="), want: []string{`ROSTER_PROFILE: must be one of`}},

		{name: "no number", env: env("ROSTER_PAGE_SIZE=many"), want: []string{`ROSTER_PAGE_SIZE: must be a whole number, not "many"`}},
		{name: "number too small", env: env("ROSTER_PAGE_SIZE=0"), want: []string{`ROSTER_PAGE_SIZE: must be between 1 and 1000, not "0"`}},
		{name: "number too large", flags: map[string]string{"max-body": "10485761"}, want: []string{`--max-body: must be between 1024 and 10485760`}},
		{name: "number overflows", env: env("ROSTER_HASH_WORKERS=99999999999999999999"), want: []string{`ROSTER_HASH_WORKERS: must be a whole number`}},
		{name: "no truth value", env: env("ROSTER_TRIM_PASSWORDS=maybe"), want: []string{`ROSTER_TRIM_PASSWORDS: must be true or false, not "maybe"`}},
		{name: "duration without unit", env: env("ROSTER_ACCESS_TOKEN_LIFETIME=300"), want: []string{`ROSTER_ACCESS_TOKEN_LIFETIME: must be a duration with its unit, such as 90s, 5m or 24h, not "300"`}},
		{name: "zero lifetime", env: env("ROSTER_ACCESS_TOKEN_LIFETIME=0s"), want: []string{`ROSTER_ACCESS_TOKEN_LIFETIME: must be between 1s and 87600h, not "0s"`}},
		{name: "negative lifetime", env: env("ROSTER_ACCESS_TOKEN_LIFETIME=-5m"), want: []string{`ROSTER_ACCESS_TOKEN_LIFETIME: must be between 1s and 87600h, not "-5m"`}},
		{name: "negative grace", env: env("ROSTER_REUSE_GRACE=-1s"), want: []string{`ROSTER_REUSE_GRACE: must be at least 0s, not "-1s"`}},
		{name: "lockout without end", env: env("ROSTER_LOCKOUT_MAX_DELAY=61m"), want: []string{`ROSTER_LOCKOUT_MAX_DELAY: must be between 1s and 1h, not "1h1m"`}},
		{name: "duration overflows", env: env("ROSTER_REFRESH_TOKEN_LIFETIME=3000000h"), want: []string{`ROSTER_REFRESH_TOKEN_LIFETIME: must be a duration`}},
		{name: "negative session lifetime", env: env("ROSTER_SESSION_MAX_LIFETIME=-1h"), want: []string{`ROSTER_SESSION_MAX_LIFETIME: must be between 1s and 87600h, not "-1h"`}},
		{name: "zero time-out", env: env("ROSTER_REQUEST_TIMEOUT=0s"), want: []string{`ROSTER_REQUEST_TIMEOUT: must be between 1ms and 1h, not "0s"`}},
		{name: "former name", env: env("ROSTER_IMPORTED_HASH=pbkdf2_sha256:600000"), want: []string{`ROSTER_IMPORTED_HASH: unknown variable; did you mean ROSTER_IMPORTED_HASHES?`}},
		{name: "unknown blocklist", env: env("ROSTER_PASSWORD_BLOCKLIST=rockyou"), want: []string{`ROSTER_PASSWORD_BLOCKLIST: must be one of django, extended, not "rockyou"`}},
		{name: "breached passwords in the clear", env: env("ROSTER_BREACHED_PASSWORDS=http://hibp.example.org"), want: []string{`ROSTER_BREACHED_PASSWORDS: must be off, a URL`}},
		{name: "breached passwords, empty", env: env("ROSTER_BREACHED_PASSWORDS="), want: []string{`ROSTER_BREACHED_PASSWORDS: must be off, a URL`}},
		{name: "breached passwords over something else", env: env("ROSTER_BREACHED_PASSWORDS=ftp://hibp.example.org"), want: []string{`ROSTER_BREACHED_PASSWORDS: must be off, a URL`}},
		{name: "breached passwords with a query", env: env("ROSTER_BREACHED_PASSWORDS=https://hibp.example.org/?mode=ntlm"), want: []string{`ROSTER_BREACHED_PASSWORDS: must be off, a URL`}},

		{name: "grace above lifetime", env: env("ROSTER_REUSE_GRACE=25h"), want: []string{`ROSTER_REUSE_GRACE: must be at most refresh_token_lifetime (24h), not "25h"`}},
		{name: "access above refresh", file: "access_token_lifetime: 2h\nrefresh_token_lifetime: 1h", want: []string{`roster.yaml:1: access_token_lifetime: must be at most refresh_token_lifetime (1h), not "2h"`}},
		{name: "session below refresh", env: env("ROSTER_SESSION_MAX_LIFETIME=1h"), want: []string{`ROSTER_SESSION_MAX_LIFETIME: must be 0 or at least refresh_token_lifetime (24h), not "1h"`}},
		{name: "password lengths crossed", env: env("ROSTER_PASSWORD_MIN_LENGTH=100", "ROSTER_PASSWORD_MAX_LENGTH=64"), want: []string{`ROSTER_PASSWORD_MIN_LENGTH: must be at most password_max_length (64), not "100"`}},
		{name: "password minimum below the floor", env: env("ROSTER_PASSWORD_MIN_LENGTH=7"), want: []string{`ROSTER_PASSWORD_MIN_LENGTH: must be at least 8, not "7"`}},
		{name: "one address twice", env: env("ROSTER_ADMIN_LISTEN=127.0.0.1:8000"), want: []string{`ROSTER_ADMIN_LISTEN: must not be the address of listen`}},

		{name: "address without port", env: env("ROSTER_LISTEN=localhost"), want: []string{`ROSTER_LISTEN: must be an address HOST:PORT, such as 127.0.0.1:8000, not "localhost"`}},
		{name: "port too large", env: env("ROSTER_LISTEN=:65536"), want: []string{`ROSTER_LISTEN: must be an address HOST:PORT`}},
		{name: "API switched off", env: env("ROSTER_LISTEN=off"), want: []string{`ROSTER_LISTEN: must be an address HOST:PORT`}},
		{name: "admin address", env: env("ROSTER_ADMIN_LISTEN=none"), want: []string{`ROSTER_ADMIN_LISTEN: must be an address HOST:PORT, such as 127.0.0.1:8001, or off, not "none"`}},
		{name: "line feed in an address", env: env("ROSTER_LISTEN=127.0.0.1:80\nx"), want: []string{`ROSTER_LISTEN: must be UTF-8 text without control characters, not "127.0.0.1:80\nx"`}},
		{name: "public URL without scheme", env: env("ROSTER_PUBLIC_URL=id.example.org"), want: []string{`ROSTER_PUBLIC_URL: must be empty, from-host, or a URL`}},
		{name: "public URL with password", env: env("ROSTER_PUBLIC_URL=https://u:" + marker + "@example.org"), want: []string{`ROSTER_PUBLIC_URL: must be empty, from-host, or a URL`}},
		{name: "public URL with query", env: env("ROSTER_PUBLIC_URL=https://example.org?x"), want: []string{`ROSTER_PUBLIC_URL: must be empty`}},
		{name: "no data directory", env: env("ROSTER_DATA_DIR="), want: []string{`ROSTER_DATA_DIR: must not be empty`}},
		{name: "choice", env: env("ROSTER_LOG_FORMAT=xml"), want: []string{`ROSTER_LOG_FORMAT: must be one of auto, console, json, not "xml"`}},

		{name: "proxies by name", env: env("ROSTER_TRUSTED_PROXIES=10.0.0.1,proxy"), want: []string{`ROSTER_TRUSTED_PROXIES: must be addresses and ranges, such as 10.0.0.5,10.1.0.0/16`}},
		{name: "proxies beyond their range", env: env("ROSTER_TRUSTED_PROXIES=10.0.0.1/8"), want: []string{`ROSTER_TRUSTED_PROXIES: must be addresses and ranges`}},
		{name: "proxies with a port", env: env("ROSTER_TRUSTED_PROXIES=10.0.0.1:80"), want: []string{`ROSTER_TRUSTED_PROXIES: must be addresses and ranges`}},
		{name: "origin without scheme", env: env("ROSTER_CORS_ORIGINS=app.example.org"), want: []string{`ROSTER_CORS_ORIGINS: must be origins as browsers send them`}},
		{name: "origin with path", env: env("ROSTER_CORS_ORIGINS=https://app.example.org/"), want: []string{`ROSTER_CORS_ORIGINS: must be origins`}},
		{name: "origin in capitals", env: env("ROSTER_CORS_ORIGINS=https://App.example.org"), want: []string{`ROSTER_CORS_ORIGINS: must be origins`}},
		{name: "origin with the usual port", env: env("ROSTER_CORS_ORIGINS=https://app.example.org:443"), want: []string{`ROSTER_CORS_ORIGINS: must be origins`}},
		{name: "origin of opaque pages", env: env("ROSTER_CORS_ORIGINS=null"), want: []string{`ROSTER_CORS_ORIGINS: must be origins`}},
		{name: "origin with a star", env: env("ROSTER_CORS_ORIGINS=https://*.example.org"), want: []string{`ROSTER_CORS_ORIGINS: must be origins`}},
		{name: "any origin beside another", env: env("ROSTER_CORS_ORIGINS=*,https://app.example.org"), want: []string{`ROSTER_CORS_ORIGINS: must be origins`}},
		{name: "any origin for browsers", env: env("ROSTER_BROWSER_SESSIONS=on", "ROSTER_BROWSER_ORIGINS=*"), want: []string{`ROSTER_BROWSER_ORIGINS: must be origins`}},
		{name: "origins of browsers without their sessions", env: env("ROSTER_BROWSER_ORIGINS=https://app.example.org"), want: []string{`ROSTER_BROWSER_ORIGINS: is of no use without`}},
		{name: "one cookie for two tokens", env: env("ROSTER_DJ_REST_AUTH_PATH=/auth", "ROSTER_DJ_REST_AUTH_COOKIES=a"), want: []string{`ROSTER_DJ_REST_AUTH_COOKIES: must be two names`}},
		{name: "the same cookie for two tokens", env: env("ROSTER_DJ_REST_AUTH_PATH=/auth", "ROSTER_DJ_REST_AUTH_COOKIES=a,a"), want: []string{`ROSTER_DJ_REST_AUTH_COOKIES: must be two names`}},
		{name: "a name of no cookie", env: env("ROSTER_DJ_REST_AUTH_PATH=/auth", "ROSTER_DJ_REST_AUTH_COOKIES=a,b;c"), want: []string{`ROSTER_DJ_REST_AUTH_COOKIES: must be two names`}},
		{name: "the cookie of browser sessions", env: env("ROSTER_DJ_REST_AUTH_PATH=/auth", "ROSTER_DJ_REST_AUTH_COOKIES=a,__Host-roster"), want: []string{`ROSTER_DJ_REST_AUTH_COOKIES: must be two names`}},
		{name: "cookies without their path", env: env("ROSTER_DJ_REST_AUTH_COOKIES=a,b"), want: []string{`ROSTER_DJ_REST_AUTH_COOKIES: is of no use without`}},
		{name: "origins as numbers", file: "cors_origins: [1]", want: []string{`roster.yaml:1: cors_origins: must be a list of texts`}},
		{name: "certificate without key", env: env("ROSTER_TLS_CERT=c"), want: []string{`ROSTER_TLS_KEY: is needed with tls_cert`}},
		{name: "key without certificate", env: env("ROSTER_TLS_KEY=k"), want: []string{`ROSTER_TLS_CERT: is needed with tls_key`}},
		{name: "two sources of certificates", env: env("ROSTER_TLS_CERT=c", "ROSTER_TLS_KEY=k", "ROSTER_TLS_AUTOCERT=id.example.org"), want: []string{`ROSTER_TLS_AUTOCERT: cannot be given together with tls_cert`}},
		{name: "certificate for an address", env: env("ROSTER_TLS_AUTOCERT=192.0.2.1"), want: []string{`ROSTER_TLS_AUTOCERT: must be host names`}},
		{name: "certificate for all hosts", env: env("ROSTER_TLS_AUTOCERT=*.example.org"), want: []string{`ROSTER_TLS_AUTOCERT: must be host names`}},
		{name: "ACME without TLS", env: env("ROSTER_TLS_AUTOCERT_DIRECTORY=http://acme.example.org/"), want: []string{`ROSTER_TLS_AUTOCERT_DIRECTORY: must be the https URL`}},
		{name: "HSTS for ever", env: env("ROSTER_HSTS_MAX_AGE=100000h"), want: []string{`ROSTER_HSTS_MAX_AGE: must be between 0s and 87600h`}},
		{name: "rate without period", env: env("ROSTER_THROTTLE_TOKEN=10"), want: []string{`ROSTER_THROTTLE_TOKEN: must be a rate NUMBER/PERIOD, such as 10/min, 100/hour or 1000/day, or off, not "10"`}},
		{name: "rate of none", env: env("ROSTER_THROTTLE_ANON=0/min"), want: []string{`ROSTER_THROTTLE_ANON: must be a rate`}},
		{name: "rate by the month", env: env("ROSTER_THROTTLE_USER=10/month"), want: []string{`ROSTER_THROTTLE_USER: must be a rate`}},
		{name: "rate in capitals", env: env("ROSTER_THROTTLE_REGISTER=10/Min"), want: []string{`ROSTER_THROTTLE_REGISTER: must be a rate`}},

		{name: "database without scheme", env: env("ROSTER_DATABASE=roster.db"), want: []string{`ROSTER_DATABASE: must be a URL with a scheme`}},
		{name: "database URL malformed", env: env("ROSTER_DATABASE=postgres://u:" + marker + "%zz@h/d"), want: []string{`ROSTER_DATABASE: must be a URL (in its user name`}},
		{name: "database empty", env: env("ROSTER_DATABASE="), want: []string{`ROSTER_DATABASE: is empty`}},

		{name: "HS256 without key", env: env("ROSTER_SIGNING_ALGORITHM=HS256"), want: []string{`ROSTER_SIGNING_KEY: is needed for signing_algorithm HS256`}},
		{name: "django without key", flags: map[string]string{"profile": "django"}, want: []string{`ROSTER_SIGNING_KEY: is needed for signing_algorithm HS256`}},
		{name: "key and ES256", env: env(key, "ROSTER_SIGNING_ALGORITHM=ES256"), want: []string{`ROSTER_SIGNING_ALGORITHM: does not use signing_key`}},
		{name: "algorithm none", env: env("ROSTER_SIGNING_ALGORITHM=none"), want: []string{`ROSTER_SIGNING_ALGORITHM: must be one of ES256, RS256, EdDSA, HS256, HS384, HS512, not "none"`}},
		{name: "port", flags: map[string]string{"port": "80"}, want: []string{"--port: unknown flag; did you mean --listen?"}},
		{name: "database URL", env: env("ROSTER_DATABASE_URL=postgres://db/x"), want: []string{"ROSTER_DATABASE_URL: unknown variable; did you mean ROSTER_DATABASE?"}},
		{name: "secret key", file: "secret_key: x", want: []string{"roster.yaml:1: secret_key: unknown key; did you mean signing_key?"}},
		{name: "sessionless without HS", env: env("ROSTER_SESSIONLESS_TOKENS=true"), want: []string{`ROSTER_SESSIONLESS_TOKENS: needs an HS algorithm, not ES256`}},
		{name: "short key", env: env("ROSTER_SIGNING_KEY=" + marker), want: []string{`ROSTER_SIGNING_KEY: must be at least 32 bytes long`}},
		{name: "empty key", env: env("ROSTER_SIGNING_KEY="), want: []string{`ROSTER_SIGNING_KEY: is empty`}},
		{name: "placeholder key", env: env("ROSTER_SIGNING_KEY=change-me-in-production-" + goodKey), want: []string{`ROSTER_SIGNING_KEY: is an example or can be guessed`}},
		{name: "repeating key", env: env("ROSTER_SIGNING_KEY=" + strings.Repeat(marker, 8)), want: []string{`ROSTER_SIGNING_KEY: is an example or can be guessed`}},

		{name: "fallback without key", env: env("ROSTER_SIGNING_KEY_FALLBACKS=" + goodKey), want: []string{`ROSTER_SIGNING_KEY_FALLBACKS: is of no use without signing_key`}},
		{name: "short fallback", env: env(key, "ROSTER_SIGNING_KEY_FALLBACKS="+goodKey+"X\n"+marker), want: []string{`ROSTER_SIGNING_KEY_FALLBACKS: line 2 must be at least 32 bytes long`}},
		{name: "guessable fallback", env: env(key, "ROSTER_SIGNING_KEY_FALLBACKS="+strings.Repeat(marker, 8)), want: []string{`ROSTER_SIGNING_KEY_FALLBACKS: line 1 is an example or can be guessed`}},
		{name: "too many fallbacks", env: env(key, "ROSTER_SIGNING_KEY_FALLBACKS="+strings.Repeat(goodKey+"\n", 17)), want: []string{`ROSTER_SIGNING_KEY_FALLBACKS: has more than 16 lines`}},
		{name: "empty fallbacks", env: env(key, "ROSTER_SIGNING_KEY_FALLBACKS="), want: []string{`ROSTER_SIGNING_KEY_FALLBACKS: is empty`}},
		{name: "fallbacks file with mode 0644", env: env(key, "ROSTER_SIGNING_KEY_FALLBACKS_FILE=key"), files: secretFile(goodKey, 0o644), want: []string{`ROSTER_SIGNING_KEY_FALLBACKS_FILE: "key" is a secret, and mode 0644 lets every user read it`}},
		{name: "fallback in PEM to a secret", env: env(key, "ROSTER_SIGNING_KEY_FALLBACKS="+ecKey), want: []string{`ROSTER_SIGNING_KEY_FALLBACKS: must be of the kind that signing_key is`}},
		{name: "secret as fallback to PEM", env: env("ROSTER_SIGNING_KEY="+ecKey, "ROSTER_SIGNING_KEY_FALLBACKS="+goodKey), want: []string{`ROSTER_SIGNING_KEY_FALLBACKS: must be of the kind that signing_key is`}},
		{name: "PEM and HS256", env: env("ROSTER_SIGNING_KEY="+ecKey, "ROSTER_SIGNING_ALGORITHM=HS256"), want: []string{`ROSTER_SIGNING_ALGORITHM: is not that of signing_key, which is a key in PEM for ES256, not "HS256"`}},
		{name: "PEM of another algorithm", env: env("ROSTER_SIGNING_KEY="+edKey, "ROSTER_SIGNING_ALGORITHM=ES256"), want: []string{`ROSTER_SIGNING_ALGORITHM: is not that of signing_key, which is a key in PEM for EdDSA`}},
		{name: "key and keys_dir", env: env(key, "ROSTER_KEYS_DIR=keys"), want: []string{`ROSTER_KEYS_DIR: is not used with signing_key`}},

		{name: "key twice", env: env(key, "ROSTER_SIGNING_KEY_FILE=key"), files: secretFile(goodKey, 0o600), want: []string{`ROSTER_SIGNING_KEY_FILE: cannot be given together with ROSTER_SIGNING_KEY`}},
		{name: "key file missing", env: env("ROSTER_SIGNING_KEY_FILE=key"), want: []string{`ROSTER_SIGNING_KEY_FILE: "key" cannot be read: there is no such file`}},
		{name: "key file empty", env: env("ROSTER_SIGNING_KEY_FILE=key"), files: secretFile("\n", 0o600), want: []string{`ROSTER_SIGNING_KEY_FILE: "key" is empty`}},
		{name: "key file with NUL", env: env("ROSTER_SIGNING_KEY_FILE=key"), files: secretFile(goodKey+"\x00", 0o600), want: []string{`ROSTER_SIGNING_KEY_FILE: "key" holds NUL characters`}},
		{name: "key file with byte order mark", env: env("ROSTER_SIGNING_KEY_FILE=key"), files: secretFile("\xef\xbb\xbf"+goodKey, 0o600), want: []string{`ROSTER_SIGNING_KEY_FILE: "key" begins with a byte order mark`}},
		{name: "key file a directory", env: env("ROSTER_SIGNING_KEY_FILE=key"), files: secretFile("", fs.ModeDir|0o700), want: []string{`ROSTER_SIGNING_KEY_FILE: "key" is a directory`}},
		{name: "key file a device", env: env("ROSTER_SIGNING_KEY_FILE=key"), files: secretFile("", fs.ModeDevice|0o600), want: []string{`ROSTER_SIGNING_KEY_FILE: "key" is not a regular file`}},
		{name: "key file too long", env: env("ROSTER_SIGNING_KEY_FILE=key"), files: secretFile(strings.Repeat(goodKey, 2000), 0o600), want: []string{`ROSTER_SIGNING_KEY_FILE: "key" is longer than 65536 bytes`}},
		{name: "key file with mode 0644", env: env("ROSTER_SIGNING_KEY_FILE=key"), files: secretFile(goodKey, 0o644), want: []string{`ROSTER_SIGNING_KEY_FILE: "key" is a secret, and mode 0644 lets every user read it; make it 0600; a secret that is mounted needs, in Kubernetes, defaultMode: 0400 on its volume`}},
		{name: "key file for the group", flags: map[string]string{"signing-key-file": "key"}, files: secretFile(goodKey, 0o640), want: []string{`--signing-key-file: "key" is a secret, and mode 0640 lets its group read it; make it 0600`}},
		{name: "database file with mode 0604", env: env("ROSTER_DATABASE_FILE=key"), files: secretFile("sqlite:", 0o604), want: []string{`ROSTER_DATABASE_FILE: "key" is a secret, and mode 0604 lets every user read it`}},
		{name: "key in an open file", file: "signing_key: " + goodKey, files: fstest.MapFS{"roster.yaml": {Mode: 0o644}}, want: []string{`roster.yaml:1: signing_key: is a secret, and of the file mode 0644 lets every user read it; make it 0600`}},

		{name: "file missing", files: fstest.MapFS{}, want: []string{`roster.yaml: cannot be read: there is no such file`}},
		{name: "file a directory", files: fstest.MapFS{"roster.yaml": {Mode: fs.ModeDir}}, want: []string{`roster.yaml: is a directory`}},
		{name: "file with byte order mark", file: "\xef\xbb\xbfpage_size: 5", want: []string{`roster.yaml: begins with a byte order mark`}},
		{name: "file in UTF-16", file: "\xff\xfep\x00", want: []string{`roster.yaml: begins with a byte order mark`}},
		{name: "file with NUL", file: "page_size: 5\x00", want: []string{`roster.yaml: holds NUL characters`}},
		{name: "file no YAML", file: "page_size: 5\nsigning_key: *" + marker, want: []string{`roster.yaml: is not valid YAML`}},
		{name: "file with a bare URL", file: "page_size: 5\ndatabase: memory:", want: []string{`roster.yaml: is not valid YAML near line 2; quote values`}},
		{name: "file a list", file: "- page_size", want: []string{`roster.yaml: must be a mapping of settings`}},
		{name: "file a text", file: "signing_key=" + marker, want: []string{`roster.yaml: must be a mapping of settings`}},
		{name: "two documents", file: "page_size: 5\n---\npage_size: 6", want: []string{`roster.yaml: holds more than one YAML document`}},
		{name: "key given twice", file: "page_size: 5\npage_size: 6", want: []string{`roster.yaml:2: page_size: is given twice`}},
		{name: "number as text", file: `page_size: "5"`, want: []string{`roster.yaml:1: page_size: must be a whole number`}},
		{name: "text as number", file: "listen: 8000", want: []string{`roster.yaml:1: listen: must be text; put it in quotes`}},
		{name: "key as number", file: "signing_key: 12345678901234567890123456789012", want: []string{`roster.yaml:1: signing_key: must be text; put it in quotes`}},
		{name: "duration as number", file: "reuse_grace: 10", want: []string{`roster.yaml:1: reuse_grace: must be a duration with its unit`}},
		{name: "truth value as text", file: `accept_forms: "true"`, want: []string{`roster.yaml:1: accept_forms: must be true or false`}},
		{name: "list for a value", file: "listen: [127.0.0.1:8000]", want: []string{`roster.yaml:1: listen: must be a single value`}},
		{name: "no value", file: "listen:", want: []string{`roster.yaml:1: listen: has no value`}},
		{name: "nested", file: "log:\n  level: info", want: []string{`roster.yaml:1: log: unknown key`}},
		{name: "odd key", file: "? [" + marker + "]\n: 1", want: []string{`roster.yaml:1: unknown key`}},
		{name: "file names a missing key file", file: "signing_key_file: nowhere", want: []string{`roster.yaml:1: signing_key_file: "nowhere" cannot be read`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := c.files
			if c.file != "" {
				mode := fs.FileMode(0o600)
				if f := files["roster.yaml"]; f != nil {
					mode = f.Mode
				}
				files = fstest.MapFS{"roster.yaml": {Data: []byte(c.file), Mode: mode}}
			}
			in := sources(files)
			in.Environ, in.Flags = c.env, c.flags
			if c.file != "" || strings.HasPrefix(c.name, "file ") {
				in.File = "roster.yaml"
			}
			cfg, err := Load(in)
			faults, ok := errors.AsType[Faults](err)
			if !ok {
				t.Fatalf("Load returned %v, want faults", err)
			}
			if cfg.Listen != "" {
				t.Errorf("a broken configuration came back with settings")
			}
			if len(faults) != len(c.want) {
				t.Fatalf("%d faults, want %d:\n%v", len(faults), len(c.want), err)
			}
			for i, f := range faults {
				if line := f.String(); !strings.HasPrefix(line, c.want[i]) {
					t.Errorf("fault %q\nwant  %q...", line, c.want[i])
				}
				if strings.Contains(f.String(), "\n") {
					t.Errorf("fault %q is more than a line", f)
				}
			}
			if strings.Contains(err.Error(), marker) {
				t.Errorf("a fault shows a secret: %v", err)
			}
		})
	}
}

// All faults are reported at once, in the file first, then the environment, the flags, the rules.
func TestFaultsTogether(t *testing.T) {
	in := sources(file("pagesize: 5\nlisten: 8000\nmax_body: 1"))
	in.File = "roster.yaml"
	in.Environ = []string{"ROSTER_NOPE=1", "ROSTER_REUSE_GRACE=soon", "HOME=/", "ROSTER_SIGNING_KEY=" + marker}
	in.Flags = map[string]string{"ids": "roman", "profile": "lax"}
	_, err := Load(in)
	faults, _ := errors.AsType[Faults](err)
	var where []string
	for _, f := range faults {
		where = append(where, f.Where)
	}
	want := []string{
		"roster.yaml:1: pagesize", "roster.yaml:2: listen", "ROSTER_NOPE", "ROSTER_REUSE_GRACE",
		"--profile", "--ids", "roster.yaml:3: max_body", "ROSTER_SIGNING_KEY",
	}
	if d := cmp.Diff(want, where); d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if strings.Contains(err.Error(), marker) {
		t.Errorf("a fault shows a secret: %v", err)
	}
}
