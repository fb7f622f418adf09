package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T, in Sources) Config {
	t.Helper()
	cfg, err := Load(in)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return cfg
}

// text returns the effective settings in the form of the tables.
func text(cfg Config) map[string]string {
	out := map[string]string{}
	for _, s := range cfg.Effective() {
		out[s.Name] = s.Value
	}
	return out
}

func setting(t *testing.T, cfg Config, name string) Setting {
	t.Helper()
	for _, s := range cfg.Effective() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %s", name)
	return Setting{}
}

func TestDefaults(t *testing.T) {
	cfg := load(t, Sources{})
	want := Config{
		Profile: "standard", Listen: "127.0.0.1:8000", AdminListen: "127.0.0.1:8001", DataDir: "./data",
		SigningAlgorithm: "ES256", TokenIssuer: "roster", TokenAudience: "roster", TokenClaims: "session", UserIDClaim: "user_id", Schemes: List{"Bearer"}, ClockLeeway: 30 * time.Second,
		AccessTokenLifetime: 5 * time.Minute, RefreshTokenLifetime: 24 * time.Hour, SessionMaxLifetime: 720 * time.Hour, MaxSessions: 100,
		RotateRefreshTokens: true, ReuseGrace: 10 * time.Second, ReusePolicy: "revoke", ImmediateRevocation: true,
		PasswordChangeEnds: "all", Console: "admin", AccountPages: "off", BrowserSessions: "off", BrowserSessionLifetime: 12 * time.Hour, BrowserOrigins: List{},
		IDs: "uuid", AccessPolicy: "directory", Registration: "open", PageSize: 20, MaxPageSize: 100, LoginField: "email", Pagination: "mixed",
		PasswordMinLength: 8, PasswordMaxLength: 1024, PasswordBlocklist: "extended", BreachedPasswords: "off", HashWait: 10 * time.Second,
		LockoutFailures: 10, LockoutAddressFailures: 20, LockoutDelay: 30 * time.Second, LockoutMaxDelay: 15 * time.Minute, AuditRetention: 2160 * time.Hour,
		AcceptForms: true, APIDocs: true, WireDetails: "standard", MaxConnections: 4096, MaxBody: 65536, RequestTimeout: 15 * time.Second, ShutdownTimeout: 15 * time.Second,
		TrustedProxies: List{}, CORSOrigins: List{}, CORSHeaders: List{}, TLSAutocert: List{},
		TLSAutocertDirectory: "https://acme-v02.api.letsencrypt.org/directory", HSTSMaxAge: 2 * 365 * 24 * time.Hour,
		ThrottleUser: Rate{600, time.Minute}, ThrottleToken: Rate{600, time.Minute}, ThrottleRegister: Rate{20, time.Minute}, ThrottleMail: Rate{5, time.Hour},
		MailNotices: List{"password_changed", "email_changed", "sessions_ended"}, MailPerMinute: 1, MailPerHour: 5,
		EmailVerification: "off", LinkTokens: "roster", DjoserOptions: List{}, TokenCookies: List{},
		ActivationLifetime: 24 * time.Hour, ResetLifetime: time.Hour, ChangeLifetime: 24 * time.Hour, InvitationLifetime: 168 * time.Hour,
		LogLevel: "info", LogFormat: "auto", LogRequests: "all", Metrics: true,
		TracesURL: Off, TracesPercent: 100,
	}
	same := cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return name == ".Database" || name == ".SigningKey" || name == ".SigningKeyFallbacks" || name == ".Mail" || name == ".source" || name == ".where"
	}, cmp.Ignore())
	if d := cmp.Diff(want, cfg, same); d != "" {
		t.Error(d)
	}
	if cfg.Database.Scheme() != "sqlite" || cfg.SigningKey.Set() {
		t.Errorf("database %s, signing key %s", cfg.Database, cfg.SigningKey)
	}
	if w := cfg.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0].Text, "listen is 127.0.0.1:8000: behind a proxy ") {
		t.Errorf("the standard profile warns of itself: %v", w)
	}
}

// Each source takes precedence over the one before it.
func TestPrecedence(t *testing.T) {
	in := sources(file("page_size: 30\npagination: page\nreuse_grace: 3s\nprofile: strict"))
	in.File = "roster.yaml"
	in.Environ = []string{"ROSTER_PAGE_SIZE=40", "ROSTER_REUSE_GRACE=4s", "PAGE_SIZE=1"}
	in.Flags = map[string]string{"page-size": "50"}
	cfg := load(t, in)
	for name, want := range map[string]struct {
		value  string
		source Source
	}{
		"listen":              {"127.0.0.1:8000", FromDefault},
		"password_min_length": {"15", FromProfile},
		"pagination":          {"page", FromFile},
		"profile":             {"strict", FromFile},
		"reuse_grace":         {"4s", FromEnvironment},
		"page_size":           {"50", FromFlag},
	} {
		if s := setting(t, cfg, name); s.Value != want.value || s.Source != want.source {
			t.Errorf("%s is %q from %s, want %q from %s", name, s.Value, s.Source, want.value, want.source)
		}
	}
}

// The profile is that of the source with the highest precedence.
func TestProfileSource(t *testing.T) {
	in := sources(file("profile: django"))
	in.File = "roster.yaml"
	in.Environ = []string{"ROSTER_PROFILE=standard"}
	in.Flags = map[string]string{"profile": "strict"}
	if cfg := load(t, in); cfg.Profile != "strict" || cfg.AccessPolicy != "private" {
		t.Errorf("profile %s, access policy %s", cfg.Profile, cfg.AccessPolicy)
	}
}

// Each profile sets the defaults in its column, and the environment overrides them.
func TestProfiles(t *testing.T) {
	for _, profile := range []string{django, standard, strict} {
		environ := []string{"ROSTER_PROFILE=" + profile}
		if profile == django {
			environ = append(environ, "ROSTER_SIGNING_KEY="+goodKey)
		}
		got, differ := text(load(t, Sources{Environ: environ})), 0
		for _, s := range Settings() {
			if !s.Varies {
				continue
			}
			want := s.profiles[profile]
			if want == "0" && strings.HasSuffix(s.Name, "lifetime") {
				want = "0s"
			}
			if got[s.Name] != want {
				t.Errorf("%s: %s is %q, want %q", profile, s.Name, got[s.Name], want)
			}
			differ++
		}
		if lines := strings.Count(profilesTable(), "\n"); differ < 15 || lines != differ+2 {
			t.Errorf("%d settings differ, the table of profiles has %d lines", differ, lines)
		}
	}
	cfg := load(t, Sources{Environ: []string{"ROSTER_PROFILE=strict", "ROSTER_ACCESS_POLICY=open", "ROSTER_PASSWORD_MIN_LENGTH=9"}})
	if cfg.AccessPolicy != "open" || cfg.PasswordMinLength != 9 {
		t.Errorf("a profile beats the environment: %s, %d", cfg.AccessPolicy, cfg.PasswordMinLength)
	}
}

// With a signing key the algorithm is HS256, unless another is set.
func TestSigningKeyPicksAlgorithm(t *testing.T) {
	key := "ROSTER_SIGNING_KEY=" + goodKey
	cfg := load(t, Sources{Environ: []string{key}})
	if cfg.SigningAlgorithm != "HS256" || cfg.SigningKey.Reveal() != goodKey {
		t.Errorf("algorithm %s", cfg.SigningAlgorithm)
	}
	if s := setting(t, cfg, "signing_algorithm"); s.Source != FromEnvironment {
		t.Errorf("the algorithm is from %s", s.Source)
	}
	if cfg := load(t, Sources{Environ: []string{key, "ROSTER_SIGNING_ALGORITHM=HS512"}}); cfg.SigningAlgorithm != "HS512" {
		t.Errorf("algorithm %s", cfg.SigningAlgorithm)
	}
}

func TestFileForms(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "blank": "\n\n", "comment": "# nothing yet\n", "null": "---\n~\n", "mapping without keys": "{}",
	} {
		in := sources(file(content))
		in.File = "roster.yaml"
		if d := cmp.Diff(text(load(t, Sources{})), text(load(t, in))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	in := sources(file("x: &grace 2s\n"))
	in.File = "roster.yaml"
	if _, err := Load(in); err == nil {
		t.Error("an unknown key with an anchor is taken")
	}
	in = sources(file("admin_listen: off\ndatabase: \"memory:\"\nsession_max_lifetime: 0\nreuse_grace: &d 2s\nhash_wait: *d\naccept_forms: false\n"))
	in.File = "roster.yaml"
	cfg := load(t, in)
	if cfg.AdminListen != Off || cfg.Database.Scheme() != "memory" || cfg.SessionMaxLifetime != 0 || cfg.HashWait != 2*time.Second || cfg.AcceptForms {
		t.Errorf("read as\n%v", cfg)
	}
}

// Kubernetes and Docker set variables for a service called roster. They are not settings.
func TestServiceLinks(t *testing.T) {
	load(t, Sources{Environ: []string{
		"ROSTER_SERVICE_HOST=10.0.0.1", "ROSTER_SERVICE_PORT=80", "ROSTER_SERVICE_PORT_HTTP=80", "ROSTER_PORT=tcp://10.0.0.1:80",
		"ROSTER_PORT_80_TCP=tcp://10.0.0.1:80", "ROSTER_PORT_80_TCP_PROTO=tcp", "ROSTER_PORT_80_TCP_ADDR=10.0.0.1", "ROSTER_DB_SERVICE_HOST=10.0.0.2",
	}})
	if _, err := Load(Sources{Environ: []string{"ROSTER_PORT=8080"}}); err == nil {
		t.Error("ROSTER_PORT=8080 is silently without effect")
	}
}

// Every setting has a help text and every text a setting, in the same order, names are unique, every default is valid,
// and warnings name settings.
func TestTableIsSound(t *testing.T) {
	var names, texts []string
	for _, s := range Settings() {
		names = append(names, s.Name)
		if s.Help == "" || s.Group == "" || strings.HasSuffix(s.Name, fileSuffix) {
			t.Errorf("%s: no help, no group, or a name that cannot be", s.Name)
		}
		for _, p := range []string{django, standard, strict} {
			if _, reason := s.parse(s.profiles[p]); reason != "" {
				t.Errorf("%s in %s: %s", s.Name, p, reason)
			}
		}
	}
	for line := range strings.Lines(helpFile) {
		if name := strings.TrimSpace(line); name != "" && name == strings.TrimRight(line, "\n") && name[0] != '#' {
			texts = append(texts, name)
		}
	}
	if d := cmp.Diff(names, texts); d != "" {
		t.Errorf("settings and the texts of settings.txt differ:\n%s", d)
	}
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
		t.Errorf("a name comes twice: %q", names)
	}
	fields := 0
	for f := range reflect.TypeFor[Config]().Fields() {
		if f.IsExported() {
			fields++
		}
	}
	if len(names) != fields {
		t.Errorf("%d settings of %d fields", len(names), fields)
	}
	for _, c := range (&Config{}).cautions() {
		if !slices.Contains(names, c.setting) {
			t.Errorf("a warning about %s, which is no setting", c.setting)
		}
	}
	if lines := strings.Count(table(), "\n"); lines != len(names)+2 {
		t.Errorf("the table has %d lines", lines)
	}
}

// Without access to files none is read, and an error reports it.
func TestNoFiles(t *testing.T) {
	_, err := Load(Sources{File: "roster.yaml"})
	faults, ok := errors.AsType[Faults](err)
	if !ok || len(faults) != 1 || !strings.HasPrefix(faults[0].String(), "roster.yaml: ") {
		t.Errorf("Load returned %v", err)
	}
}

// Choices are accepted in any case.
func TestChoicesInAnyCase(t *testing.T) {
	cfg := load(t, Sources{Environ: []string{"ROSTER_PROFILE=Strict", "ROSTER_LOG_LEVEL=DEBUG", "ROSTER_SIGNING_ALGORITHM=eddsa", "ROSTER_PAGINATION=Mixed"}})
	if cfg.Profile != "strict" || cfg.LogLevel != "debug" || cfg.SigningAlgorithm != "EdDSA" || cfg.Pagination != "mixed" || cfg.AccessPolicy != "private" {
		t.Errorf("%q %q %q %q %q", cfg.Profile, cfg.LogLevel, cfg.SigningAlgorithm, cfg.Pagination, cfg.AccessPolicy)
	}
}

// A command that signs no tokens needs no signing key. A key that is set must still be valid.
func TestCommandsWithoutTokensNeedNoKey(t *testing.T) {
	if _, err := Load(Sources{Environ: []string{"ROSTER_PROFILE=django"}, Unsigned: true}); err != nil {
		t.Error(err)
	}
	if _, err := Load(Sources{Environ: []string{"ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY=short"}, Unsigned: true}); err == nil {
		t.Error("a short key was taken")
	}
	_, err := Load(Sources{Environ: []string{"ROSTER_PROFILE=django"}})
	if err == nil || !strings.Contains(err.Error(), "openssl rand -base64 48") || !strings.Contains(err.Error(), "SECRET_KEY") {
		t.Errorf("without a key: %v", err)
	}
}
