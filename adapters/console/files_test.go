package console

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// maxFiles is the most bytes of all files of the console, uncompressed.
const maxFiles = 150_000

func TestFilesAreSmall(t *testing.T) {
	byName, _ := files()
	total := 0
	for name, f := range byName {
		total += len(f.plain)
		if f.mediaType == "" {
			t.Errorf("%s has no media type", name)
		}
	}
	if total > maxFiles || total == 0 {
		t.Errorf("the files have %d bytes, want at most %d", total, maxFiles)
	}
}

// The files of others are those that .ci/console wrote.
func TestFilesOfOthersAreUnchanged(t *testing.T) {
	sums, err := os.ReadFile("files/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	byName, names := files()
	n := 0
	for line := range strings.Lines(string(sums)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		got := sha256.Sum256(byName[names[name]].plain)
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%s is not the file of the package", name)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d files have a digest, want 3", n)
	}
}
