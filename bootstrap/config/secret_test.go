package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// Keys of existing installations are accepted: those of Django are long and random.
func TestSigningKeysTaken(t *testing.T) {
	for _, key := range []string{
		"reference-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz",
		"django-insecure-export-key-$&*(x)=+_0123456789abcdefghijklmn",
		"0123456789abcdef0123456789ABCDEF",
		"pX2m0Zr5oV3nq8bTtq1m2vN0eWc4yJ7l",
	} {
		load(t, Sources{Environ: []string{"ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY=" + key}})
	}
}

// The keys that an attacker tries first are refused (J12).
func TestGuessableKeys(t *testing.T) {
	for _, key := range []string{
		strings.Repeat("0", 32), strings.Repeat("a", 32), "01234567890123456789012345678901",
		"your-super-secret-jwt-token-with-at-least-32-characters-long", strings.Repeat("secret", 6),
		"Y2hhbmdlLW1lLWluLXByb2R1Y3Rpb24=", "Y2hhbmdlLXRoaXMtaW4tcHJvZHVjdGlvbg==", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
		"Please_Change_Me_Please_or_be_sorry",
	} {
		if _, err := Load(Sources{Environ: []string{"ROSTER_SIGNING_KEY=" + key}}); err == nil {
			t.Errorf("%q is taken", key)
		}
	}
}

// A secret may be in a file of its own; one line feed at its end is removed.
func TestSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for content, want := range map[string]string{goodKey: goodKey, goodKey + "\n": goodKey, goodKey + "\r\n": goodKey, " " + goodKey + " \n": " " + goodKey + " "} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := load(t, Sources{Environ: []string{"ROSTER_SIGNING_KEY_FILE=" + path}, ReadFile: os.ReadFile, Stat: os.Stat})
		if cfg.SigningKey.Reveal() != want {
			t.Errorf("%q was read wrong", content)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Sources{Environ: []string{"ROSTER_SIGNING_KEY_FILE=" + path}, ReadFile: os.ReadFile, Stat: os.Stat}); err == nil {
		t.Error("a file that every user can read is accepted")
	}
}

// A value of one source replaces the file of a source with lower precedence.
func TestSecretAcrossSources(t *testing.T) {
	files := file("signing_key_file: key")
	files["key"] = &fstest.MapFile{Data: []byte(strings.ToUpper(goodKey)), Mode: 0o600}
	in := sources(files)
	in.File = "roster.yaml"
	in.Environ = []string{"ROSTER_SIGNING_KEY=" + goodKey}
	if cfg := load(t, in); cfg.SigningKey.Reveal() != goodKey {
		t.Error("the file's key beats the environment's")
	}
}

// No form of the configuration shows a secret.
func TestSecretsStayHidden(t *testing.T) {
	cfg := load(t, Sources{Environ: []string{
		"ROSTER_SIGNING_KEY=" + goodKey,
		"ROSTER_DATABASE=postgres://roster:" + marker + "@db.example.org/roster?sslmode=require&sslpassword=" + marker,
	}})
	type holder struct{ hidden Config }
	js, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	forms := []string{
		fmt.Sprint(cfg), fmt.Sprintf("%+v %#v %v", cfg, cfg, &cfg), fmt.Sprintf("%+v %#v", holder{cfg}, holder{cfg}),
		fmt.Sprintf("%d %x %q", cfg.SigningKey, cfg.SigningKey, cfg.Database), fmt.Sprint(cfg.Effective()), fmt.Sprint(cfg.Warnings()), string(js),
	}
	for _, f := range forms {
		if strings.Contains(f, marker) {
			t.Errorf("a secret is shown: %s", f)
		}
	}
	if v := setting(t, cfg, "signing_key").Value; v != "(set)" {
		t.Errorf("signing_key is shown as %q", v)
	}
	const want = "postgres://roster:xxxxx@db.example.org/roster?sslmode=require&sslpassword=xxxxx"
	if v := setting(t, cfg, "database").Value; v != want {
		t.Errorf("database is shown as %q, want %q", v, want)
	}
	if p, _ := cfg.Database.URL().User.Password(); p != marker {
		t.Error("the database's URL lost its password")
	}
}
