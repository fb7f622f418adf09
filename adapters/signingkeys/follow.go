package signingkeys

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"
)

// File is the keys of a directory as they are now. It follows the changes of operators: with Look, to be
// called from time to time, and at once for a key that a token names. While the file cannot be read, the
// former keys stay in force. It is safe for concurrent use.
type File struct {
	path    string
	log     *zap.Logger
	current atomic.Pointer[Set]
	read    func(path string) ([]byte, error)

	mu      sync.Mutex  // held while looking
	seen    os.FileInfo // of the file before it was last read, nil when there was none
	content []byte      // as last read
	failure string      // of the last look
}

// Open reads the key file of a directory, and makes one with a key for the algorithm where there is none: of
// processes that start at once, one makes it. It fails when another user can read the file or put another
// one in its place, when it is damaged, and where a former version kept its keys as PEM files.
func Open(dir, algorithm string, log *zap.Logger) (*File, error) {
	if err := checkPair(algorithm); err != nil {
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

// Check fails as Open would, and makes nothing; a missing key file is no failure.
func Check(dir, algorithm string) error {
	if err := checkPair(algorithm); err != nil {
		return err
	}
	_, err := read(filepath.Join(dir, FileName))
	if errors.Is(err, errNoFile) {
		return checkFormer(dir)
	}
	return err
}

// Current returns the keys in force. For an unknown id it asks whether the file has changed and reads it only
// then: invented ids cost no reading.
func (f *File) Current(id string) *Set {
	if set := f.current.Load(); set.Find(id) != nil || !isID(id) {
		return set
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed() {
		f.look()
	}
	return f.current.Load()
}

// Look reads the file. It does not trust the file's time: that of a network file system may be stale.
func (f *File) Look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed()
	f.look()
}

// changed reports whether the file is another one, or has another size or time, than before it was last read.
// A change replaces the file, so that two changes at the same time differ too.
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

// look takes over what the file holds by now.
func (f *File) look() {
	set, err := f.load()
	if err != nil {
		if f.failure != err.Error() {
			f.log.Warn("the signing keys cannot be read; those from before stay in use", zap.Error(err))
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
	f.log.Info("the signing keys changed", zap.String("signs", set.Signing().ID()), zap.String("algorithm", set.Signing().Algorithm()), zap.Int("keys", len(set.Keys())))
}

// load returns the keys of the file, or nil when it holds what it held before.
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
