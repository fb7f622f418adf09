package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"roster/test/support/process"
)

const password = "Correct-horse-7-battery"

// person is a registered user.
type person struct{ id, email string }

// path returns the path of the user.
func (p person) path() string { return "/api/users/" + p.id + "/" }

// tokens are the tokens of a sign-in or refresh.
type tokens struct{ access, refresh string }

// registration returns the body that registers a user with the address.
func registration(email string) object {
	return object{"email": email, "password": password, "first_name": "Ann", "last_name": "Lee"}
}

// register registers a user with the address and the usual password.
func register(s *process.Server, t testing.TB, email string) person {
	t.Helper()
	a := call(s, t, "POST", "/api/users/", body(registration(email))).want(201)
	return person{a.text("id"), email}
}

// tryToSignIn signs in with an address and a password.
func tryToSignIn(s *process.Server, t testing.TB, email, password string) answer {
	t.Helper()
	return call(s, t, "POST", "/api/token/", body(object{"email": email, "password": password}))
}

// signIn signs in with the usual password.
func signIn(s *process.Server, t testing.TB, p person) tokens {
	t.Helper()
	a := tryToSignIn(s, t, p.email, password).want(200)
	return tokens{a.text("access"), a.text("refresh")}
}

// arrive registers a user and signs in.
func arrive(s *process.Server, t testing.TB, email string) (person, tokens) {
	t.Helper()
	p := register(s, t, email)
	return p, signIn(s, t, p)
}

// staff registers an administrator and signs in.
func staff(s *process.Server, t testing.TB, email string) (person, tokens) {
	t.Helper()
	p := register(s, t, email)
	s.MustCLI("user", "set", email, "--staff=true")
	return p, signIn(s, t, p)
}

// refresh sends a refresh token.
func refresh(s *process.Server, t testing.TB, token string) answer {
	t.Helper()
	return call(s, t, "POST", "/api/token/refresh/", body(object{"refresh": token}))
}

// verify sends a token of any type.
func verify(s *process.Server, t testing.TB, token string) answer {
	t.Helper()
	return call(s, t, "POST", "/api/token/verify/", body(object{"token": token}))
}

// signOut ends the session of a refresh token.
func signOut(s *process.Server, t testing.TB, token string) answer {
	t.Helper()
	return call(s, t, "POST", "/api/token/blacklist/", body(object{"refresh": token}))
}

// wantDead checks that neither token of a pair is accepted.
func wantDead(s *process.Server, t testing.TB, p person, k tokens) {
	t.Helper()
	for what, status := range map[string]int{
		"reading with the access token":   call(s, t, "GET", p.path(), bearer(k.access)).status,
		"listing with the access token":   call(s, t, "GET", "/api/users/", bearer(k.access)).status,
		"verifying the access token":      verify(s, t, k.access).status,
		"refreshing":                      refresh(s, t, k.refresh).status,
		"verifying the refresh token":     verify(s, t, k.refresh).status,
		"registering with a token around": call(s, t, "POST", "/api/users/", bearer(k.access), body("{}")).status,
	} {
		if status != 401 {
			t.Errorf("%s: status %d, want 401", what, status)
		}
	}
}

// wantAlive checks that both tokens of a pair are accepted.
func wantAlive(s *process.Server, t testing.TB, p person, k tokens) {
	t.Helper()
	for what, status := range map[string]int{
		"reading with the access token": call(s, t, "GET", p.path(), bearer(k.access)).status,
		"verifying the access token":    verify(s, t, k.access).status,
		"verifying the refresh token":   verify(s, t, k.refresh).status,
	} {
		if status != 200 {
			t.Errorf("%s: status %d, want 200", what, status)
		}
	}
}

// claims decodes a token's payload.
func claims(t testing.TB, token string) object {
	t.Helper()
	return decoded(t, token, 1)
}

// decoded decodes part i of a token.
func decoded(t testing.TB, token string, i int) object {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// signedBy reports whether an ES256 token was signed with the private half of a JSON Web Key.
func signedBy(t testing.TB, token string, key object) bool {
	t.Helper()
	point := []byte{4} // uncompressed (SEC 1, 2.3.3)
	for _, name := range []string{"x", "y"} {
		text, _ := key[name].(string)
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(raw) != 32 {
			t.Fatalf("%s of the key is no number of 32 bytes: %q", name, text)
		}
		point = append(point, raw...)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	cut := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[cut+1:])
	if err != nil || len(signature) != 64 {
		t.Fatalf("a signature of %d bytes: %v", len(signature), err)
	}
	digest := sha256.Sum256([]byte(token[:cut]))
	return ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}
