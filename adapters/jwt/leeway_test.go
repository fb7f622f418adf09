package jwt

import (
	"testing"
	"time"
)

// nbf and iat may be later than now by the leeway, since the clock that issued the token may be ahead; exp
// has no leeway.
func TestLeeway(t *testing.T) {
	o := Options{Leeway: 30 * time.Second}
	for _, members := range []string{`"iat":1800000001`, `"iat":1800000030`, `"nbf":1800000030`, `"nbf":1800000029.5`, `"iat":1800000030,"nbf":1800000030`} {
		if _, err := parse(t, withSecret(t, o), hs(hsHead, payload(members))); err != nil {
			t.Errorf("%s: %v", members, err)
		}
	}
	for _, members := range []string{`"iat":1800000031`, `"nbf":1800000031`, `"nbf":1800000030.5`, `"iat":1,"nbf":1800000031`} {
		refused(t, withSecret(t, o), hs(hsHead, payload(members)))
	}
	for _, exp := range []string{"1800000000", "1799999999", "1799999970"} {
		refused(t, withSecret(t, o), hs(hsHead, `{"token_type":"access","exp":`+exp+`,"jti":"x","user_id":1}`))
	}
}
