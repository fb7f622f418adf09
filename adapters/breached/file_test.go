package breached

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roster/domain/credential"
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "hashes.txt")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// lines returns the lines of n passwords, in order.
func lines(n int, end string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s:%d%s", sum(credential.NewPassword(fmt.Sprintf("breached %d", i))), 1+i*i*i, end)
	}
	slices.Sort(out)
	return out
}

func TestFile(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 999} {
		for name, text := range map[string]string{
			"LF":            strings.Join(lines(n, "\n"), ""),
			"CRLF":          strings.Join(lines(n, "\r\n"), ""),
			"no end":        strings.Join(lines(n, ""), "\n"),
			"in lower case": strings.ToLower(strings.Join(lines(n, "\n"), "")),
		} {
			f, err := OpenFile(write(t, text))
			if err != nil {
				t.Fatalf("%d, %s: %v", n, name, err)
			}
			for i := range n {
				if found, err := f.Breached(t.Context(), credential.NewPassword(fmt.Sprintf("breached %d", i))); !found || err != nil {
					t.Errorf("%d, %s: number %d: %t, %v", n, name, i, found, err)
				}
				if found, err := f.Breached(t.Context(), credential.NewPassword(fmt.Sprintf("unbreached %d", i))); found || err != nil {
					t.Errorf("%d, %s: another: %t, %v", n, name, found, err)
				}
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if _, err := f.Breached(t.Context(), credential.NewPassword("x")); err == nil {
				t.Error("a closed file answers")
			}
		}
	}
}

// reader counts the bytes that are read.
type reader struct {
	*os.File
	bytes int
}

func (r *reader) ReadAt(p []byte, at int64) (int, error) {
	r.bytes += len(p)
	return r.File.ReadAt(p, at)
}

func TestLookUpReadsLittle(t *testing.T) {
	f, err := OpenFile(write(t, strings.Join(lines(20_000, "\n"), "")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	r := &reader{File: f.file.(*os.File)}
	f.file = r
	for i := range 100 {
		r.bytes = 0
		if _, err := f.Breached(t.Context(), credential.NewPassword(fmt.Sprintf("breached %d", i*250))); err != nil {
			t.Error(err)
		}
		if r.bytes > 20*blockBytes { // of a file of a million bytes
			t.Errorf("%d bytes read", r.bytes)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	sorted := lines(500, "\n")
	reversed := slices.Clone(sorted)
	slices.Reverse(reversed)
	shuffled := lines(500, "\n")
	for i := range shuffled {
		j := (i * 7919) % len(shuffled)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	for name, text := range map[string]string{
		"empty":          "",
		"reversed":       strings.Join(reversed, ""),
		"by count":       strings.Join(shuffled, ""),
		"passwords":      "password\n123456\nqwerty\n",
		"NTLM":           "8846F7EAEE8FB117AD06BDD830B7586C:5\n",
		"no counts":      ofPassword + "\n",
		"one long line":  strings.Repeat("A", 10_000),
		"something else": strings.Repeat("\x00", 10_000),
		"a comment":      "# hashes\n" + strings.Join(sorted, ""),
	} {
		if f, err := OpenFile(write(t, text)); err == nil {
			t.Errorf("%s is taken", name)
			_ = f.Close()
		}
	}
	for _, name := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none"), "/dev/null"} {
		if _, err := OpenFile(name); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// A failure after the opening is an error, not the answer "not breached".
func TestFileThatChanges(t *testing.T) {
	name := write(t, strings.Join(lines(1000, "\n"), ""))
	f, err := OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Breached(ctx, credential.NewPassword("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
	for _, size := range []int64{10, 0} {
		if err := os.Truncate(name, size); err != nil {
			t.Fatal(err)
		}
		found, err := f.Breached(t.Context(), credential.NewPassword("breached 1"))
		if found || err == nil {
			t.Errorf("of %d bytes: %t, %v", size, found, err)
		}
		if err != nil && strings.Contains(err.Error(), "breached 1") {
			t.Error(err)
		}
	}
}
