package privatefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// names returns the names of the files in a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// created returns a File with a text in it.
func created(t *testing.T, path, text string) *File {
	t.Helper()
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return f
}

// A path has the former file until Replace, and then the new one, mode 0600.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(path, []byte("former"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := created(t, path, "new")
	if got := content(t, path); got != "former" {
		t.Errorf("before: %q", got)
	}
	if err := f.Replace(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || content(t, path) != "new" || names(t, dir) != "x" {
		t.Errorf("after: %v, %v, %s", info, err, names(t, dir))
	}
	opened, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := Write(path, []byte("newer")); err != nil || content(t, path) != "newer" || names(t, dir) != "x" {
		t.Errorf("Write: %v, %s", err, names(t, dir))
	}
	if got, err := io.ReadAll(opened); err != nil || string(got) != "new" {
		t.Errorf("a reader of the former file got %q, %v", got, err)
	}
	if err := created(t, path, "none").Discard(); err != nil || content(t, path) != "newer" || names(t, dir) != "x" {
		t.Errorf("Discard: %v, %s", err, names(t, dir))
	}
	if err := os.Mkdir(path+".d", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := created(t, path+".d", "over a directory").Replace(); err == nil || names(t, dir) != "x x.d" {
		t.Errorf("Replace of a directory: %v, %s", err, names(t, dir))
	}
}

// Publish never replaces a file or a link that was created in the meantime.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	file, link, free := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "free")
	for _, path := range []string{file, link} {
		f := created(t, path, "export")
		var err error
		if path == file {
			err = os.WriteFile(path, []byte("made in the meantime"), 0o600)
		} else {
			err = os.Symlink(filepath.Join(dir, "none"), path)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Publish(); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := content(t, file); got != "made in the meantime" {
		t.Errorf("the file is now %q", got)
	}
	if err := created(t, free, "export").Publish(); err != nil || content(t, free) != "export" || names(t, dir) != "file free link" {
		t.Errorf("%v, %s", err, names(t, dir))
	}
}

// RemoveUnfinished removes the temporary files of one path only.
func TestRemoveUnfinished(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x[1]")
	for range 2 {
		if err := created(t, path, "half").Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{path, path + "-1", filepath.Join(dir, ".x-1")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveUnfinished(path); err != nil || names(t, dir) != ".x-1 x[1] x[1]-1" {
		t.Errorf("%v, %s", err, names(t, dir))
	}
}

// MkdirAll creates the missing directories, mode 0700, and refuses a path that is a file.
func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := MkdirAll(filepath.Join(dir, "a", "b")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "a/b"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	file := filepath.Join(dir, "file")
	for range 2 {
		if err := Touch(file); err != nil || content(t, file) != "" {
			t.Errorf("Touch: %v", err)
		}
	}
	for _, name := range []string{file, filepath.Join(file, "below")} {
		if err := MkdirAll(name); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Read returns small regular files that no other user can read.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := Write(path, []byte("12345")); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(path, 5); err != nil || string(got) != "12345" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Read(path, 4); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("too long: %v", err)
	}
	for _, name := range []string{dir, os.DevNull} {
		if _, err := Read(name, 5); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(path+"y", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if !hasModes {
		return
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, 5); err == nil || !strings.Contains(err.Error(), path+": mode 0640") {
		t.Errorf("%v", err)
	}
}
