package e2e

import (
	"os"
	"strings"
	"testing"

	"roster/test/support/process"
)

// maxBinary is the most bytes of the released binary. A use of reflect.Value.MethodByName, in a library as well, keeps
// the linker from removing unused methods and adds several megabytes.
const maxBinary = 36 << 20

func TestBinaryStaysSmall(t *testing.T) {
	path, err := process.BuildRelease()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxBinary {
		t.Errorf("the binary has %d bytes, want at most %d", info.Size(), maxBinary)
	}
}

// The released binary hashes passwords with OWASP's parameters; the one that most tests start does not.
func TestReleaseHashesAtFullCost(t *testing.T) {
	for name, c := range map[string]struct {
		start      func(testing.TB, map[string]string) *process.Server
		parameters string
	}{
		"release": {process.StartRelease, "$argon2id$v=19$m=19456,t=2,p=1$"},
		"tests":   {process.Start, "$argon2id$v=19$m=64,t=1,p=1$"},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t, nil)
			ann := register(s, t, "ann@example.com")
			signIn(s, t, ann)
			out, errs, code := s.CLI("export", "-")
			if code != 0 || !strings.Contains(out, c.parameters) {
				t.Errorf("exit code %d, no %q in the export:\n%s%s", code, c.parameters, out, errs)
			}
		})
	}
}
