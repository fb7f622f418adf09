package jwt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	keySuffix  = ".pem"    // of a key's file, whose name is else of no importance
	markerName = "signing" // holds the kid of the key that signs
	maxKeyFile = 1 << 16
)

// LoadOrCreate reads the keys in a folder, each a private key as PKCS #8 in PEM (RFC 7468) in a file
// <kid>.pem. All of them verify, each with its own algorithm. The one that signs is named by its kid in
// the file "signing", which may be missing where there is one key. Where there is no key at all, one is
// made, for the algorithm given: of many processes that start at once, all end up with the same.
//
// It refuses folders that others can write to and key files that others can read, and files that it
// does not understand; the errors name the file and say nothing of what is in it.
func LoadOrCreate(folder, algorithm string) (*KeySet, error) {
	if err := checkPair(algorithm); err != nil {
		return nil, err
	}
	if err := makeFolder(folder); err != nil {
		return nil, fmt.Errorf("jwt: %w", err)
	}
	keys, err := load(folder)
	if !errors.Is(err, errNoKeys) {
		return keys, err
	}
	if err := create(folder, algorithm); err != nil {
		return nil, fmt.Errorf("jwt: make a key: %w", err)
	}
	return load(folder)
}

// Check fails as LoadOrCreate would on the keys that are there, and makes nothing; that there are none
// yet is no failure.
func Check(folder, algorithm string) error {
	if err := checkPair(algorithm); err != nil {
		return err
	}
	if missing(folder) {
		return nil
	}
	if _, err := load(folder); !errors.Is(err, errNoKeys) {
		return err
	}
	return nil
}

// missing reports whether there is no such folder.
func missing(folder string) bool {
	_, err := os.Stat(folder)
	return errors.Is(err, fs.ErrNotExist)
}

// checkPair refuses algorithms without a key pair.
func checkPair(algorithm string) error {
	if pair, _ := Algorithms(); !slices.Contains(pair, algorithm) {
		return fmt.Errorf("jwt: there are no key files for the algorithm %q", algorithm)
	}
	return nil
}

// keyFile is a key in its file.
type keyFile struct {
	*key
	path     string
	modified time.Time
}

// contents is what a folder holds.
type contents struct {
	keys    []keyFile
	signing int       // index of the key that signs
	marked  bool      // by the marker, which may be missing where there is one key
	turned  time.Time // when the marker was written
}

// errNoKeys says that a folder holds no keys.
var errNoKeys = errors.New("there are no keys")

// load returns the keys in a folder, or errNoKeys.
func load(folder string) (*KeySet, error) {
	c, err := look(folder)
	if err != nil {
		return nil, err
	}
	all := make([]*key, len(c.keys))
	for i, k := range c.keys {
		all[i] = k.key
	}
	return newKeySet(c.keys[c.signing].key, all...)
}

// look reads a folder, or returns errNoKeys. Whoever reads while an operator changes keys may meet a
// mixture of before and after, so it looks again before it complains.
func look(folder string) (c contents, err error) {
	for range 3 {
		if c, err = lookOnce(folder); err == nil || errors.Is(err, errNoKeys) {
			break
		}
	}
	return c, err
}

func lookOnce(folder string) (contents, error) {
	if err := checkFolder(folder); err != nil {
		return contents{}, err
	}
	marker, turned, err := readMarker(folder)
	if err != nil {
		return contents{}, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return contents{}, fmt.Errorf("jwt: %w", err)
	}
	c := contents{signing: -1, marked: marker != "", turned: turned}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), keySuffix) || e.Name()[0] == '.' {
			continue
		}
		k, err := readKey(filepath.Join(folder, e.Name()))
		if err != nil {
			return contents{}, err
		}
		if k.kid == marker {
			c.signing = len(c.keys)
		}
		c.keys = append(c.keys, k)
	}
	where := filepath.Join(folder, markerName)
	switch {
	case c.signing >= 0:
		return c, nil
	case c.marked:
		return contents{}, fmt.Errorf("jwt: %s names a key that is not there", where)
	case len(c.keys) == 0:
		return contents{}, fmt.Errorf("jwt: %s: %w", folder, errNoKeys)
	case len(c.keys) > 1:
		return contents{}, fmt.Errorf("jwt: %s is missing; it holds the id of the key that signs, one of the names before %s", where, keySuffix)
	}
	c.signing = 0
	return c, nil
}

// readMarker returns the kid of the key that signs and when it was written, or "" when nothing says so.
func readMarker(folder string) (kid string, turned time.Time, err error) {
	name := filepath.Join(folder, markerName)
	text, info, err := readFile(name, 0o022)
	if errors.Is(err, fs.ErrNotExist) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, err
	}
	if kid = strings.TrimSpace(string(text)); !isKeyID(kid) {
		return "", time.Time{}, fmt.Errorf("jwt: %s: no id of a key", name)
	}
	if err := finish(folder, kid); err != nil {
		return "", time.Time{}, fmt.Errorf("jwt: %w", err)
	}
	return kid, info.ModTime(), nil
}

// isKeyID reports whether text has the form of a thumbprint (RFC 7638) of SHA-256.
func isKeyID(text string) bool {
	for _, c := range []byte(text) {
		if !base64URL(c) {
			return false
		}
	}
	return len(text) == 43
}

func readKey(name string) (keyFile, error) {
	text, info, err := readFile(name, 0o077)
	if err != nil {
		return keyFile{}, err
	}
	k, rest, err := parsePrivate(text)
	if err == nil && len(bytes.TrimSpace(rest)) > 0 {
		err = errNoPrivateKey
	}
	if err != nil {
		return keyFile{}, fmt.Errorf("jwt: %s: %w", name, err)
	}
	return keyFile{k, name, info.ModTime()}, nil
}

// readFile reads a small regular file whose mode has none of the bits of forbidden; but the group may
// read what is somebody else's, since that is how a secret is handed to a service (Kubernetes' fsGroup).
func readFile(name string, forbidden fs.FileMode) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(name) // before opening, which waits at a pipe
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", name)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("jwt: %w", err)
	}
	f, err := os.Open(name) //nolint:gosec // in the operator's own directory
	if err != nil {
		return nil, nil, fmt.Errorf("jwt: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err = f.Stat(); err != nil {
		return nil, nil, fmt.Errorf("jwt: %w", err)
	}
	if !ours(info) {
		forbidden &^= 0o040
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 && hasModes {
		return nil, nil, fmt.Errorf("jwt: %s: mode %04o lets others in; make it 0600", name, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(text) > maxKeyFile {
		err = fmt.Errorf("%s: too large", name)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("jwt: %w", err)
	}
	return text, info, nil
}

// hasModes tells whether the file modes that Go reports mean who may read a file.
const hasModes = runtime.GOOS != "windows"

// checkFolder refuses a folder where others could put a key that would then verify. Where nobody can
// write, whatever the mode says, as in a mounted secret, that is no danger.
func checkFolder(name string) error {
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s: not a folder", name)
	}
	if err != nil {
		return fmt.Errorf("jwt: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 && hasModes && !readOnly(name) {
		return fmt.Errorf("jwt: %s: mode %04o lets others write; make it 0700", name, mode)
	}
	return nil
}
