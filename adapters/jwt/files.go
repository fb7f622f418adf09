package jwt

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const (
	keyFolder  = "keys"    // in the data directory
	keySuffix  = ".pem"    // of a key's file, whose name is else of no importance
	markerName = "signing" // holds the kid of the key that signs
	maxKeyFile = 1 << 16
)

// LoadOrCreate reads the keys in dir/keys, each a private key as PKCS #8 in PEM (RFC 7468) in a file
// <kid>.pem. All of them verify. The one that signs is named by its kid in the file "signing", which
// may be missing where there is one key; its algorithm must be the one wanted. Where there is no key
// at all, one is made: of many processes that start at once, all end up with the same.
//
// It refuses folders that others can write to and key files that others can read, and files that it
// does not understand; the errors name the file and say nothing of what is in it.
func LoadOrCreate(dir, algorithm string) (*KeySet, error) {
	pair, _ := Algorithms()
	if !slices.Contains(pair, algorithm) {
		return nil, fmt.Errorf("jwt: there are no key files for the algorithm %q", algorithm)
	}
	folder := filepath.Join(dir, keyFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("jwt: %w", err)
	}
	if err := checkFolder(folder); err != nil {
		return nil, err
	}
	keys, err := load(folder, algorithm)
	if err != nil || keys != nil {
		return keys, err
	}
	if err := create(folder, algorithm); err != nil {
		return nil, fmt.Errorf("jwt: make a key: %w", err)
	}
	keys, err = load(folder, algorithm)
	if err == nil && keys == nil {
		err = fmt.Errorf("jwt: %s: the key just made is gone", folder)
	}
	return keys, err
}

// Check fails as LoadOrCreate would on the keys that are there, and makes nothing; that there are none
// yet is no failure.
func Check(dir, algorithm string) error {
	folder := filepath.Join(dir, keyFolder)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := checkFolder(folder); err != nil {
		return err
	}
	_, err := load(folder, algorithm)
	return err
}

// load returns the keys in folder, or nil when there are none.
func load(folder, algorithm string) (*KeySet, error) {
	marker, err := readMarker(folder)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("jwt: %w", err)
	}
	names := slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return !strings.HasSuffix(e.Name(), keySuffix) || e.Name()[0] == '.'
	})
	keys := &KeySet{byID: map[string]*key{}}
	for _, e := range names {
		k, err := readKey(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		keys.byID[k.kid] = k
		if k.kid == marker || marker == "" && len(names) == 1 {
			keys.signing = k
		}
	}
	where := filepath.Join(folder, markerName)
	switch {
	case keys.signing == nil && marker != "":
		return nil, fmt.Errorf("jwt: %s names a key that is not there", where)
	case keys.signing == nil && len(names) > 0:
		return nil, fmt.Errorf("jwt: %s is missing; it holds the id of the key that signs, one of the names before %s", where, keySuffix)
	case keys.signing == nil:
		return nil, nil
	case keys.signing.alg != algorithm:
		return nil, fmt.Errorf("jwt: %s: the key that signs is for %s, not %s as configured", folder, keys.signing.alg, algorithm)
	}
	return keys, nil
}

// create makes a key, unless another process has made one meanwhile. What decides is the link to the
// name of the marker, which only one process can make; by then its key is on the disk, under a name
// from which whoever reads the marker next can finish the work.
func create(folder, algorithm string) error {
	private, err := generate(algorithm)
	if err != nil {
		return err
	}
	k, err := newKey(private)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	made := unfinished(folder, k.kid)
	if err := writeNew(made, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	note := unfinished(folder, k.kid+"."+markerName)
	if err = writeNew(note, []byte(k.kid+"\n")); err == nil {
		err = os.Link(note, filepath.Join(folder, markerName))
		_ = os.Remove(note)
	}
	if err != nil {
		_ = os.Remove(made)
		if errors.Is(err, fs.ErrExist) {
			return nil // another's key it is
		}
		return err
	}
	return errors.Join(finish(folder, k.kid), syncFolder(folder), syncFolder(filepath.Dir(folder)))
}

// unfinished is where a key lies until it is known to be the one; load does not look there.
func unfinished(folder, kid string) string { return filepath.Join(folder, "."+kid+".new") }

// finish gives a key its name, unless another process has done so.
func finish(folder, kid string) error {
	_, err := os.Lstat(unfinished(folder, kid)) // renaming nothing fails elsewise on a read-only disk
	if err == nil {
		err = os.Rename(unfinished(folder, kid), filepath.Join(folder, kid+keySuffix))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readMarker returns the kid of the key that signs, or "" when nothing says so.
func readMarker(folder string) (string, error) {
	name := filepath.Join(folder, markerName)
	text, err := readFile(name, 0o022)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	kid := strings.TrimSpace(string(text))
	if len(kid) != 43 || strings.ContainsFunc(kid, func(r rune) bool { return r > 0x7F || !base64URL(byte(r&0x7F)) }) {
		return "", fmt.Errorf("jwt: %s: no id of a key", name)
	}
	if err := finish(folder, kid); err != nil {
		return "", fmt.Errorf("jwt: %w", err)
	}
	return kid, nil
}

func readKey(name string) (*key, error) {
	text, err := readFile(name, 0o077)
	if err != nil {
		return nil, err
	}
	// What the parsers say is left out, lest it quote the file.
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, fmt.Errorf("jwt: %s: not one private key as PKCS #8 in PEM", name)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("jwt: %s: not one private key as PKCS #8 in PEM", name)
	}
	k, err := newKey(private)
	if err != nil {
		return nil, fmt.Errorf("jwt: %s: %w", name, err)
	}
	return k, nil
}

// readFile reads a small regular file whose mode has none of the bits of forbidden.
func readFile(name string, forbidden fs.FileMode) ([]byte, error) {
	info, err := os.Stat(name) // before opening, which waits at a pipe
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("jwt: %w", err)
	}
	f, err := os.Open(name) //nolint:gosec // in the operator's own directory
	if err != nil {
		return nil, fmt.Errorf("jwt: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err = f.Stat(); err != nil {
		return nil, fmt.Errorf("jwt: %w", err)
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 && hasModes {
		return nil, fmt.Errorf("jwt: %s: mode %04o lets others in; make it 0600", name, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(text) > maxKeyFile {
		err = fmt.Errorf("%s: too large", name)
	}
	if err != nil {
		return nil, fmt.Errorf("jwt: %w", err)
	}
	return text, nil
}

// hasModes tells whether the file modes that Go reports mean who may read a file.
const hasModes = runtime.GOOS != "windows"

// checkFolder refuses a folder where others could put a key that would then verify.
func checkFolder(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("jwt: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 && hasModes {
		return fmt.Errorf("jwt: %s: mode %04o lets others write; make it 0700", name, mode)
	}
	return nil
}

// writeNew writes a file that must not exist, through to the disk.
func writeNew(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // as readFile
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return syncFolder(filepath.Dir(name))
}

// syncFolder makes the names in a folder survive a loss of power, where a folder can be opened for it.
func syncFolder(name string) error {
	if !hasModes {
		return nil
	}
	f, err := os.Open(name) //nolint:gosec // as readFile
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
