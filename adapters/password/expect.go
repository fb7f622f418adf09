package password

import (
	"encoding/base64"
	"fmt"
	"strings"

	"roster/domain/credential"
)

// examples makes of the parameters of a scheme a hash that no password fits, by the scheme.
var examples = map[string]func(parameter []string) string{
	"pbkdf2_sha256": func(p []string) string { return "pbkdf2_sha256$" + p[0] + "$salt$" + zeros(base64.StdEncoding, 32) },
	"pbkdf2_sha1":   func(p []string) string { return "pbkdf2_sha1$" + p[0] + "$salt$" + zeros(base64.StdEncoding, 20) },
	"bcrypt":        func(p []string) string { return fmt.Sprintf("bcrypt$$2b$%02s$%s", p[0], noBcrypt) },
	"scrypt": func(p []string) string {
		return "scrypt$" + p[0] + "$salt$" + p[1] + "$" + p[2] + "$" + zeros(base64.StdEncoding, scryptKeyBytes)
	},
	"argon2": func(p []string) string {
		return fmt.Sprintf("$argon2id$v=19$m=%s,t=%s,p=%s$%s$%s", p[0], p[1], p[2], zeros(base64.RawStdEncoding, saltBytes), zeros(base64.RawStdEncoding, keyBytes))
	},
}

// parameters is how many each of examples takes.
var parameters = map[string]int{"pbkdf2_sha256": 1, "pbkdf2_sha1": 1, "bcrypt": 1, "scrypt": 3, "argon2": 3}

func zeros(e *base64.Encoding, n int) string { return e.EncodeToString(make([]byte, n)) }

// Expect learns the schemes of hashes that are going to be met, apart by commas and the costliest of
// each: pbkdf2_sha256:ITERATIONS, pbkdf2_sha1:ITERATIONS, bcrypt:COST, scrypt:N:R:P,
// argon2:KIB:PASSES:LANES. It fails on what it does not know, and on what Verify would not read.
func (h *Hasher) Expect(schemes string) error {
	for item := range strings.SplitSeq(schemes, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		p := strings.Split(item, ":")
		example, ok := examples[p[0]]
		if !ok || len(p)-1 != parameters[p[0]] {
			return fmt.Errorf("%q is no scheme with its parameters, such as pbkdf2_sha256:600000", item)
		}
		c := credential.RestoreHash(example(p[1:]))
		if _, ok := read(c, false); !ok {
			return fmt.Errorf("%q asks for more than is verified, or makes no sense", item)
		}
		h.Learn(c)
	}
	return nil
}
