package signingkeys

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func macs(t *testing.T, s *Set, label string) []func([]byte) []byte {
	t.Helper()
	all, err := s.MACs(label)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A rotation changes the first code and keeps the one before among the others. A key that only verifies has none.
func TestMACs(t *testing.T) {
	before, after := inPEM(t, generated(t, ES256)), inPEM(t, generated(t, EdDSA))
	first, err := FromPEM(before, "")
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := FromPEM(after, before+publicPEM(t, generated(t, RS256)))
	if err != nil {
		t.Fatal(err)
	}
	one, two := macs(t, first, "a"), macs(t, rotated, "a")
	if len(one) != 1 || len(two) != 2 {
		t.Fatalf("%d and %d keys, want 1 and 2", len(one), len(two))
	}
	code := one[0](message)
	if bytes.Equal(code, two[0](message)) || !bytes.Equal(code, two[1](message)) {
		t.Error("the first code is not that of the signing key, or the former key's code is not the second")
	}
	if bytes.Equal(code, macs(t, first, "b")[0](message)) || bytes.Equal(code, one[0](digest[:])) || len(code) != 32 {
		t.Error("the code does not depend on the label, or not on the message")
	}
	secrets, err := FromSecret(secret, HS256, "another-"+secret)
	if err != nil {
		t.Fatal(err)
	}
	of := macs(t, secrets, "a")
	if len(of) != 2 || bytes.Equal(of[0](message), of[1](message)) {
		t.Errorf("%d keys of two secrets, or the same", len(of))
	}
	if text := fmt.Sprintf("%v %+v %#v", of, of, of); strings.Contains(text, secret) {
		t.Errorf("printed: %s", text)
	}
}
