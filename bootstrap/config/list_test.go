package config

import (
	"fmt"
	"slices"
	"testing"
)

// A list is the same from each source.
func TestListsFromEverySource(t *testing.T) {
	want := List{"https://app.example.org", "http://localhost:3000"}
	in := sources(file("cors_origins:\n- https://app.example.org\n- http://localhost:3000"))
	in.File = "roster.yaml"
	for name, s := range map[string]Sources{
		"a list of the file":  in,
		"apart by commas":     {Environ: []string{"ROSTER_CORS_ORIGINS=https://app.example.org, http://localhost:3000"}},
		"apart by blanks":     {Flags: map[string]string{"cors-origins": "https://app.example.org http://localhost:3000"}},
		"with an empty item":  {Flags: map[string]string{"cors-origins": "https://app.example.org,,http://localhost:3000,"}},
		"as the tables do it": {Flags: map[string]string{"cors-origins": want.String()}},
	} {
		if cfg := load(t, s); !slices.Equal(cfg.CORSOrigins, want) {
			t.Errorf("%s: %q", name, cfg.CORSOrigins)
		}
	}
}

func TestProxies(t *testing.T) {
	cfg := load(t, Sources{Environ: []string{"ROSTER_TRUSTED_PROXIES=192.0.2.7 2001:db8::/32 ::ffff:192.0.2.8"}})
	if got := fmt.Sprint(cfg.Proxies()); got != "[192.0.2.7/32 2001:db8::/32 192.0.2.8/32]" {
		t.Error(got)
	}
	cfg = load(t, Sources{Environ: []string{"ROSTER_TRUSTED_PROXIES=private"}})
	if got := fmt.Sprint(cfg.Proxies()); got != "[127.0.0.0/8 ::1/128 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7]" {
		t.Error(got)
	}
}
