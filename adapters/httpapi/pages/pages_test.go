package pages

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The embedded files of swagger-ui are those that .ci/swagger-ui took from the npm package.
func TestSwaggerUIIsUnchanged(t *testing.T) {
	sums, err := os.ReadFile("swagger-ui/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	if len(lines) != 3 {
		t.Errorf("%d sums", len(lines))
	}
	for _, line := range lines {
		want, name, _ := strings.Cut(line, "  ")
		f := File{Name: name, Gzipped: true, Body: read("swagger-ui/" + name + ".gz")}
		var plain bytes.Buffer
		if err := f.Plain(&plain); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(plain.Bytes())); got != want {
			t.Errorf("%s has the digest %s, want %s", name, got, want)
		}
	}
}

// Each page has no inline script or style, which its policy forbids, and loads nothing from another host.
func TestPagesKeepTheirPolicy(t *testing.T) {
	elsewhere := regexp.MustCompile(`(?i)(href|src)="(https?:)?//|\son[a-z]+=|\sstyle=|<style|<script(>| [^>]*>[^<])`)
	for name, page := range map[string][]byte{"docs": Docs(), "home": Home(".", true)} {
		if found := elsewhere.Find(page); found != nil {
			t.Errorf("%s has %s", name, found)
		}
		if bytes.ContainsAny(page, "$") {
			t.Errorf("%s has a placeholder left:\n%s", name, page)
		}
	}
	if !elsewhere.MatchString(`<img src="//example.org/x">`) || !elsewhere.MatchString(`<p onclick="x()">`) || !elsewhere.MatchString(`<script>x()</script>`) {
		t.Error("the expression finds nothing")
	}
}
