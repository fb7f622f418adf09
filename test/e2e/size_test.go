package e2e

import (
	"os"
	"testing"

	"roster/test/support/process"
)

// maxBinary is the most bytes of the released binary. A use of reflect.Value.MethodByName, in a library as well, keeps
// the linker from removing unused methods and adds several megabytes.
const maxBinary = 30 << 20

func TestBinaryStaysSmall(t *testing.T) {
	path, err := process.Build()
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
