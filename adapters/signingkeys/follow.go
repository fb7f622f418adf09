package signingkeys

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"
)

// File is the keys of a directory. It follows changes of the key file: when Look is called, and at once for an unknown key
// that a token names. While the file cannot be read, the former keys stay in force. It is safe for concurrent use.
type File struct {
	path    string
	log     *zap.Logger
	current atomic.Pointer[Set]
	read    func(path string) ([]byte, error)

	mu      sync.Mutex  // guards the following
	seen    os.FileInfo // of the file before it was last read, or nil
	content []byte      // as last read
	failure string      // of the last attempt to read it, or ""
}

// Open reads the key file of a directory. If there is none, it makes one with a key for the algorithm, which other
// processes that start at the same time use too. It fails when the file is damaged, or another user can read or replace it.
func Open(dir, algorithm string, log *zap.Logger) (*File, error) {
	if err := checkAlgorithm(algorithm); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); err != nil {
		if err := create(dir, algorithm); err != nil {
			return nil, err
		}
	}
	f := &File{path: path, log: log, read: readContent}
	f.changed()
	set, err := f.load()
	if err != nil {
		return nil, err
	}
	f.current.Store(set)
	if signs := set.Signing().Algorithm(); signs != algorithm {
		log.Warn("the key that signs is for another algorithm than is configured; that is for new keys",
			zap.String("signs", signs), zap.String("configured", algorithm))
	}
	return f, nil
}

// create makes the first key, unless another process has made one.
func create(dir, algorithm string) error {
	r := NewKeyring(dir, algorithm, 0)
	_, err := r.change(context.Background(), true, func(d *document) (*entry, error) {
		if len(d.Keys) > 0 {
			return nil, nil
		}
		return r.add(d, algorithm)
	})
	return err
}

// Check fails when Open would fail, and makes nothing.
func Check(dir, algorithm string) error {
	if err := checkAlgorithm(algorithm); err != nil {
		return err
	}
	if _, err := read(filepath.Join(dir, FileName)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Current returns the keys in force. For an unknown id it reads the file if that has changed: forged ids cause no reads.
func (f *File) Current(id string) *Set {
	if set := f.current.Load(); id == "" || set.Find(id) != nil {
		return set
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed() {
		f.look()
	}
	return f.current.Load()
}

// Look reads the file, also if its time has not changed: that of a network file system may be stale.
func (f *File) Look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed()
	f.look()
}

// changed reports whether the file, its size or its time is another one than when it was last read. Keyring replaces the
// file, so that two changes at the same time differ too.
func (f *File) changed() bool {
	before := f.seen
	info, err := os.Stat(f.path)
	if err != nil {
		info = nil // look reports it
	}
	f.seen = info
	if before == nil || info == nil {
		return before != info
	}
	return !os.SameFile(before, info) || before.Size() != info.Size() || !before.ModTime().Equal(info.ModTime())
}

// look reads the file and replaces the keys. It logs a failure once.
func (f *File) look() {
	set, err := f.load()
	if err != nil {
		if f.failure != err.Error() {
			f.log.Warn("the signing keys cannot be read; the former keys stay in use", zap.Error(err))
		}
		f.failure = err.Error()
		return
	}
	if f.failure != "" {
		f.log.Info("the signing keys can be read again")
	}
	f.failure = ""
	if set == nil {
		return
	}
	f.current.Store(set)
	f.log.Info("the signing keys changed", zap.String("signs", set.Signing().ID()),
		zap.String("algorithm", set.Signing().Algorithm()), zap.Int("keys", len(set.Keys())))
}

// load returns the keys of the file, or nil when its content is the same as before.
func (f *File) load() (*Set, error) {
	content, err := f.read(f.path)
	if err != nil || f.content != nil && bytes.Equal(content, f.content) {
		return nil, err
	}
	d, err := parse(f.path, content)
	if err != nil {
		return nil, err
	}
	f.content = content
	return d.set()
}
