package bootstrap

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roster/adapters/httpapi/openapi"
	"roster/bootstrap/config"
)

var update = flag.Bool("update", false, "rewrite docs/openapi.yaml")

// docs/openapi.yaml is the description of a service with the default settings.
func TestOpenAPIFile(t *testing.T) {
	const path = "../docs/openapi.yaml"
	cfg, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi.Describe(*describedSettings(cfg))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, doc.YAML, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(old), string(doc.YAML)); diff != "" {
		t.Errorf("docs/openapi.yaml differs from the description of the service (make generate rewrites it):\n%s", diff)
	}
}

// A service with api_docs off has no description, as in profile strict; one that believes the Host header names no server.
func TestDescribedSettings(t *testing.T) {
	load := func(environ ...string) config.Config {
		cfg, err := config.Load(config.Sources{Environ: environ})
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	if s := describedSettings(load("ROSTER_PROFILE=strict")); s != nil {
		t.Errorf("strict: %+v", s)
	}
	if s := describedSettings(load("ROSTER_PUBLIC_URL=from-host")); s.Server != "" {
		t.Errorf("from-host: server %q", s.Server)
	}
	if s := describedSettings(load("ROSTER_PUBLIC_URL=https://id.example.org/a")); s.Server != "https://id.example.org/a" {
		t.Errorf("server %q", s.Server)
	}
}
