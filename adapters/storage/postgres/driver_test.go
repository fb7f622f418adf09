package postgres

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"roster/adapters/storage"
)

func TestURLs(t *testing.T) {
	for _, c := range []struct {
		url, host, database, err string
	}{
		{"postgres://roster@db.example.com/app", "db.example.com", "app", ""},
		{"postgresql://roster:secret@db.example.com:5433/app?sslmode=verify-full", "db.example.com", "app", ""},
		{"postgres:///app?host=/run/postgresql&user=roster", "/run/postgresql", "app", ""},
		{"postgres://roster:secret@db.example.com/app?pool_max_conns=3&synchronous_commit=off&statement_timeout=0", "db.example.com", "app", ""},
		{"postgres:app", "", "", "write postgres://"},
		{"postgres://u:secret@h/x#y", "", "", "fragment"},
		{"postgres://u:secret@h/x?sslmode=secure&password=secret", "", "", "sslmode"},
		{"postgres://u:secret@h/x?pool_max_conns=many&sslpassword=secret", "", "", "pool_max_conns"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatalf("%s: %v", c.url, err)
		}
		b, err := map[string]storage.Driver{"postgres": Driver, "postgresql": Alias}[u.Scheme].Open(u, storage.Options{})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: got error %v, want %q", c.url, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		got := b.(*Store).config.ConnConfig
		if got.Host != c.host || got.Database != c.database || got.User != "roster" {
			t.Errorf("%s: got %s, %s, %s", c.url, got.Host, got.Database, got.User)
		}
		if err := b.Close(t.Context()); err != nil { // also before Start
			t.Errorf("%s: Close: %v", c.url, err)
		}
	}
	if Driver.Scheme != "postgres" || Alias.Scheme != "postgresql" {
		t.Errorf("schemes are %s and %s", Driver.Scheme, Alias.Scheme)
	}
}

// TestOptionsOfSeveralHosts has hosts that net/url does not read.
func TestOptionsOfSeveralHosts(t *testing.T) {
	s, err := New("postgres://roster:p%3Fw@h1:5433,h2/app?pool_max_conns=3&target_session_attrs=any")
	if err != nil {
		t.Fatal(err)
	}
	c := s.config.ConnConfig
	if c.Host != "h1" || c.Port != 5433 || c.Password != "p?w" || !slices.ContainsFunc(c.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host == "h2" && f.Port == 5432 }) {
		t.Errorf("it was read as %s:%d with %d other places", c.Host, c.Port, len(c.Fallbacks))
	}
	if s.config.MaxConns != 3 || c.ValidateConnect != nil {
		t.Errorf("there may be %d connections, and a standby is refused: %t", s.config.MaxConns, c.ValidateConnect != nil)
	}
}

// TestErrorsHoldNoSecret plants one in every place of a URL that is refused.
func TestErrorsHoldNoSecret(t *testing.T) {
	const secret = "hunter2"
	for _, raw := range []string{
		"postgres://u:" + secret + "@h:x/y", "postgres://u:a/" + secret + "@h/y", "postgres://u:%zz" + secret + "@h/y",
		"postgres://u:" + secret + "@[h/y", "postgres://u:" + secret + "@h/y?password=" + secret + "&sslmode=x",
		"postgres://u@h/y?sslpassword=" + secret + "&connect_timeout=x", "postgres://u:a?" + secret + "@h/y?sslmode=x",
		"postgres://" + secret + "@h/y?sslmode=x", "postgres://u:" + secret + "@h1:1,h2/y?sslmode=x", "postgres://u@h/y?pass%77ord=" + secret + "&sslmode=x", "host=h password=" + secret + " sslmode=x",
	} {
		if _, err := New(raw); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
