package backup

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var files = map[string]string{"roster.db": strings.Repeat("database", 300), "signing-keys.json": "{}"}

// written returns a backup of files.
func written(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, time.Unix(1_800_000_000, 5))
	for _, name := range []string{"roster.db", "signing-keys.json"} {
		if err := w.Add(name, int64(len(files[name])), strings.NewReader(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func restored(content []byte) (map[string]string, error) {
	got := map[string]string{}
	err := Read(bytes.NewReader(content), func(name string, content io.Reader) error {
		text, err := io.ReadAll(content)
		got[name] = string(text)
		return err
	})
	return got, err
}

func TestRoundTrip(t *testing.T) {
	got, err := restored(written(t))
	if err != nil || !maps.Equal(got, files) {
		t.Errorf("%v, %d files", err, len(got))
	}
}

// A backup with a changed byte is refused, or read as it was written: unused bytes of a tar file do not count.
func TestEveryFlippedByteIsHarmless(t *testing.T) {
	content := written(t)
	refused := 0
	for i := range content {
		flipped := bytes.Clone(content)
		flipped[i] ^= 1
		got, err := restored(flipped)
		if err != nil {
			refused++
		} else if !maps.Equal(got, files) {
			t.Fatalf("with byte %d changed, another content is accepted", i)
		}
	}
	if refused < len(files["roster.db"]) {
		t.Errorf("%d of %d changed bytes were refused", refused, len(content))
	}
}

// A backup that is cut off before the end of its sums is refused. After them there are only zeros.
func TestCutOffIsRefused(t *testing.T) {
	content := written(t)
	for n := range len(bytes.TrimRight(content, "\x00")) {
		if _, err := restored(content[:n]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut off after %d of %d bytes: %v", n, len(content), err)
		}
	}
}

// Other tools read it: tar unpacks it, and sha256sum accepts it.
func TestOtherToolsReadIt(t *testing.T) {
	for _, tool := range []string{"tar", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "tar -xf - && sha256sum --strict -c SHA256SUMS")
	cmd.Dir, cmd.Stdin = t.TempDir(), bytes.NewReader(written(t))
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), ": OK") != len(files) {
		t.Errorf("%v\n%s", err, out)
	}
}
