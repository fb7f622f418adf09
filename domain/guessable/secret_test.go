package guessable_test

import (
	"strings"
	"testing"

	"roster/domain/guessable"
)

// Each kind of guessable secret is refused. The secrets of the recorded systems are accepted.
func TestSecret(t *testing.T) {
	const guess = "is an example or can be guessed"
	const good = "lantern-orchard-pebble-quiver-granite-0123456789"
	for name, c := range map[string]struct{ secret, refused string }{
		"long":             {good, ""},
		"of the reference": {"reference-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz", ""},
		"of startproject":  {"django-insecure-export-key-$&*(x)=+_0123456789abcdefghijklmn", ""},
		"hexadecimal":      {"9f86d081884c7d659a2feaa0c55ad015", ""},
		"random base64":    {"fj8sFEnp4xXrMGyzSyQB0QJ4cXfJ8bV1yWxUoZkq3hM=", ""},
		"32 bytes":         {good[:32], ""},
		"31 bytes":         {good[:31], "must be at least 32 bytes long"},
		"empty":            {"", "must be at least 32 bytes long"},

		"of jwt.io":       {"a-string-secret-at-least-256-bits-long", guess},
		"of jwt.io, 384":  {"a-valid-string-secret-that-is-at-least-384-bits-long", guess},
		"of jwt.io, 512":  {"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long", guess},
		"of jwt.io, once": {"your-256-bit-secret-your-256-bit-secret-1", guess},
		"of Supabase":     {"super-secret-jwt-token-with-at-least-32-characters-long", guess},
		"in other case":   {"Your-Super-Secret-JWT-Token-With-At-Least-32-Characters-Long", guess},
		"of FastAPI":      {"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", guess},
		"of RFC 7515":     {"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", guess},
		"to be changed":   {"please-CHANGE-ME-before-you-go-into-production", guess},
		"in base64":       {"Y2hhbmdlLXRoaXMtaW4tcHJvZHVjdGlvbg==", guess},

		"repeated":                {"secretsecretsecretsecretsecretsecret", guess},
		"repeated, cut":           {"passwordpasswordpasswordpasswordpass", guess},
		"16 bytes twice":          {strings.Repeat("k7#vq2!xTz0-Lm9w", 2), guess},
		"17 bytes twice":          {strings.Repeat("k7#vq2!xTz0-Lm9wE", 2), ""},
		"digits":                  {"01234567890123456789012345678901", guess},
		"one character":           {strings.Repeat("a", 64), guess},
		"seven characters":        {"abcdefgabcdegfabdcefgabcdefgbacdefg", guess},
		"seven characters base64": {"YWJjZGVmZ2FiY2RlZ2ZhYmRjZWZnYWJjZGVmZ2JhY2RlZmc=", guess},
		"zeros":                   {strings.Repeat("\x00", 32), guess},
	} {
		err := guessable.Secret(c.secret)
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: %v", name, err)
		case err != nil && c.secret != "" && strings.Contains(err.Error(), c.secret):
			t.Errorf("%s is quoted: %v", name, err)
		}
	}
}
