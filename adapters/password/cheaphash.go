//go:build cheaphash

package password

import (
	"fmt"
	"strings"
)

// A binary that tests start is built with this tag, so that their passwords take little of the processor. No setting
// does this. Which hashes an import accepts stays as it is: that follows from the parameters of a release.
func init() {
	preferred.kib, preferred.passes = 64, 1
	decoy, _ = readArgon2(true)(fmt.Sprintf("argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", preferred.version,
		preferred.kib, preferred.passes, preferred.threads, strings.Repeat("A", 22), strings.Repeat("A", 43)))
}
