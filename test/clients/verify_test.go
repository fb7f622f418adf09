package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/adapters/jwt"
	"roster/adapters/signingkeys"
	"roster/domain/session"
)

// verifiers are the programs that docs/tokens.md shows.
var verifiers = map[string]struct {
	file    string
	command func(t *testing.T, file string) command
}{
	"jose":    {"verify/verify.mjs", func(t *testing.T, file string) command { return node(t, "jose", file, "jose") }},
	"PyJWT":   {"verify/verify.py", func(t *testing.T, file string) command { return python(t, file, "jwt", "cryptography") }},
	"keyfunc": {"verify/keyfunc/main.go", keyfunc},
}

func keyfunc(t *testing.T, file string) command {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "keyfunc")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	cmd.Dir = filepath.Dir(file)
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		missing(t, "keyfunc", string(out))
	}
	return command{"keyfunc", []string{binary}, "."}
}

// A service that verifies tokens by the published keys takes access tokens, and nothing else.
func TestVerifiersTakeAccessTokensAlone(t *testing.T) {
	s := serve(t, nil)
	good := signIn(t, s)
	keys, err := signingkeys.Open(filepath.Join(s.DataDir, "keys"), "ES256", zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	options := jwt.Options{Shape: jwt.ShapeSession, Issuer: "roster", Audience: "roster"}
	claims, err := jwt.New(keys, options).Parse(t.Context(), good.Access, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	signed := func(o jwt.Options, change func(*session.Claims)) string {
		c := claims
		change(&c)
		token, err := jwt.New(keys, o).Sign(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	issuer, audience, plain := options, options, options
	issuer.Issuer, audience.Audience, plain.Shape = "another", "another", jwt.ShapeSimpleJWT
	same := func(*session.Claims) {}
	ok := "ok " + claims.User
	tokens := []struct{ what, token, want string }{
		{"access token", good.Access, ok},
		{"access token of now", signed(options, same), ok},
		{"refresh token", good.Refresh, "refused: "},
		{"expired token", signed(options, func(c *session.Claims) { c.ExpiresAt = time.Now().Add(-time.Minute) }), "refused: "},
		{"token of another issuer", signed(issuer, same), "refused: "},
		{"token for another audience", signed(audience, same), "refused: "},
		{"refresh token with SimpleJWT's claims alone", signed(plain, func(c *session.Claims) { c.Type = session.Refresh }), "refused: "},
		{"token of another service's key", signIn(t, serve(t, nil)).Access, "refused: "},
		{"token with another's signature", good.Access[:strings.LastIndex(good.Access, ".")] + good.Refresh[strings.LastIndex(good.Refresh, "."):], "refused: "},
		{"no token", "x", "refused: "},
	}
	var input strings.Builder
	for _, c := range tokens {
		input.WriteString(c.token + "\n")
	}
	for name, v := range verifiers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := v.command(t, v.file).run(t, input.String(), s.URL+"/.well-known/jwks.json", "roster", "roster")
			lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			if len(lines) != len(tokens) {
				t.Fatalf("%d answers for %d tokens:\n%s", len(lines), len(tokens), out)
			}
			for i, c := range tokens {
				if c.want == ok && lines[i] != ok || !strings.HasPrefix(lines[i], c.want) {
					t.Errorf("%s: %s, want %s", c.what, lines[i], c.want)
				}
			}
		})
	}
}

// The page shows the programs as they are tested.
func TestThePageShowsTheVerifiers(t *testing.T) {
	page, err := os.ReadFile("../../docs/tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range verifiers {
		source, err := os.ReadFile(v.file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "\n"+string(source)+"```\n") {
			t.Errorf("docs/tokens.md does not show %s of %s", v.file, name)
		}
	}
}
