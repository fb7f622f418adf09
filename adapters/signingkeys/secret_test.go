package signingkeys

import (
	"strings"
	"testing"
)

// A secret signs and verifies, and is not published; the fallbacks verify.
func TestFromSecret(t *testing.T) {
	const older = "meadow-copper-lattice-juniper-anvil-1357924680"
	for _, algorithm := range []string{HS256, HS384, HS512} {
		keys, err := FromSecret(secret, algorithm, older)
		if err != nil {
			t.Fatal(err)
		}
		var verify []string
		for _, k := range keys.Keys() {
			if k.ID() != "" || k.Algorithm() != algorithm {
				t.Errorf("%q, %s", k.ID(), k.Algorithm())
			}
			verify = append(verify, string(k.Public().([]byte)))
		}
		if got := strings.Join(verify, " "); got != secret+" "+older || string(keys.Signing().Private().([]byte)) != secret {
			t.Errorf("%s", got)
		}
		if set := string(keys.JWKS()); set != `{"keys":[]}` || keys.Find("") != nil {
			t.Errorf("JWKS: %s", set)
		}
	}
	for _, algorithm := range []string{ES256, "none", "hs256", ""} {
		if keys, err := FromSecret(secret, algorithm); err == nil || keys != nil {
			t.Errorf("%q is taken", algorithm)
		}
	}
	for _, bad := range []string{"", secret[:31], strings.Repeat("secret", 8), "please-CHANGE-ME-before-you-go-into-production"} {
		for says, f := range map[string]func() (*Set, error){
			"the secret": func() (*Set, error) { return FromSecret(bad, HS256) },
			"fallback 2": func() (*Set, error) { return FromSecret(secret, HS256, older, bad) },
		} {
			keys, err := f()
			if err == nil || keys != nil || !strings.Contains(err.Error(), says) || bad != "" && strings.Contains(err.Error(), bad) {
				t.Errorf("%s %q: %v", says, bad, err)
			}
		}
	}
}
