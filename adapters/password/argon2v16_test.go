package password_test

import (
	"strings"
	"testing"
)

// These hashes of the password "lantern" are from the reference implementation (libargon2 20171227).
func TestArgon2OfVersion16(t *testing.T) {
	for _, encoded := range []string{
		"$argon2d$v=16$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$8ltzeDGIyQ8cJZGTqSN5RmpgX0jMzqJLxI1mlvQWccU",
		"$argon2d$v=16$m=64,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$gBDXhWPHSC4EvnvgVKSCiLKNh9nPBHuATHiM47x5m1g",
		"$argon2d$v=16$m=512,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$4jklxHr+6w5F3LjOl7a0hJSJtOx+qZAuCALc0dkrEsU",
		"$argon2i$v=16$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$I9HIROxGwLfdiimYBllk9EFVCgvgHUW8iRHrghl5EzI",
		"$argon2i$v=16$m=64,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$NQ6ypuRjli5b/mfyw87LBnmNZ2Kazoit+Wa4e8vn8Vc",
		"$argon2i$v=16$m=512,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$XCiMYiEYZp1xxr+7s2OjN76I66E53dWwLN8L7IyZrM0",
		"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$/IhbxQj1j7kzJ2bXVaL2gWxnUmOPFhP1pg0xwtpjn+Y",
		"$argon2id$v=16$m=64,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$lNbx7bezQmit82ngqcP8gpzEkHLQkY25+KdeuBX50BY",
		"$argon2id$v=16$m=512,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$xfyITEX4GNghO9DQEHwulwUQj/achEGlRWk5IiDJ6Nk",
	} {
		for _, form := range []string{"argon2" + encoded, encoded, "argon2" + strings.Replace(encoded, "$v=16", "", 1)} {
			if fits, outdated := verify(t, "lantern", form); !fits || !outdated {
				t.Errorf("%s: fits %t, outdated %t", form, fits, outdated)
			}
			if fits, _ := verify(t, "Lantern", form); fits {
				t.Errorf("%s: another password fits", form)
			}
		}
		if fits, _ := verify(t, "lantern", strings.Replace(encoded, "v=16", "v=19", 1)); fits {
			t.Errorf("%s: fits as version 19", encoded)
		}
	}
	// Lanes of unequal memory, and an empty password.
	for _, encoded := range []string{
		"$argon2d$v=16$m=257,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$Xx9J3I1arTOtc3o3Z3OFi8DliS6qticl3BOuOZCL5u4",
		"$argon2i$v=16$m=257,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RROLyAiPmrJP2Pg3v2WTjrDPOZW4LjEHQxQ9A8F7+yM",
		"$argon2id$v=16$m=257,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$ECBP10/rTjxAuiqW39JsRc4uxBP8jsbhC2khqigGMYc",
	} {
		if fits, _ := verify(t, "", encoded); !fits {
			t.Errorf("%s does not fit", encoded)
		}
	}
}
