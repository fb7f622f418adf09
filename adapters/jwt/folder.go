package jwt

import (
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

var _ Source = (*Folder)(nil)

// Folder is the keys of a folder as they are now. It follows what an operator or another machine
// changes there: with Look, to be called from time to time, and at once for a key that a token names.
// What it cannot read leaves the keys as they were. It is safe for concurrent use, and who only reads
// never waits.
type Folder struct {
	path    string
	log     *zap.Logger
	current atomic.Pointer[KeySet]
	now     func() time.Time
	load    func(folder string) (*KeySet, error)

	mu        sync.Mutex // held while looking
	seen      time.Time  // when the folder had last changed at the last look
	young     bool       // and that was only just before it
	complaint string     // what the last look said
}

// OpenFolder opens the keys in a folder as LoadOrCreate does.
func OpenFolder(path, algorithm string, log *zap.Logger) (*Folder, error) {
	f := &Folder{path: path, log: log, now: time.Now, load: load}
	f.stirred()
	keys, err := LoadOrCreate(path, algorithm)
	if err != nil {
		return nil, err
	}
	f.current.Store(keys)
	if signs := keys.Algorithm(); signs != algorithm {
		log.Warn("the key that signs is for another algorithm than is configured; that is for new keys",
			zap.String("signs", signs), zap.String("configured", algorithm))
	}
	return f, nil
}

// Keys implements Source.
func (f *Folder) Keys() *KeySet { return f.current.Load() }

// KeysWith implements Source. For a key that is not known it asks the folder whether anything in it has
// changed, and reads it only then: made-up ids cannot keep the disk busy, and none of them takes the
// place of a key that has come.
func (f *Folder) KeysWith(kid string) *KeySet {
	if !isKeyID(kid) {
		return f.Keys()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Keys().byID[kid] == nil && f.stirred() {
		f.look()
	}
	return f.Keys()
}

// Look reads the folder.
func (f *Folder) Look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stirred()
	f.look()
}

// settled is how old a change must be for the next one to have another time for sure: file systems
// count in steps of up to two seconds.
const settled = 2 * time.Second

// stirred reports whether the names in the folder may have changed since it was last asked, which must
// be before the folder is read.
func (f *Folder) stirred() bool {
	info, err := os.Stat(f.path)
	if err != nil {
		return false // Look will say so
	}
	at := info.ModTime()
	changed := f.young || !at.Equal(f.seen)
	f.seen, f.young = at, f.now().Sub(at).Abs() < settled
	return changed
}

func (f *Folder) look() {
	keys, err := f.load(f.path)
	if err != nil {
		if f.complaint != err.Error() {
			f.log.Warn("the signing keys cannot be read; those from before stay in use", zap.Error(err))
		}
		f.complaint = err.Error()
		return
	}
	before := f.Keys()
	if f.complaint != "" {
		f.log.Info("the signing keys can be read again")
	}
	f.complaint = ""
	if sameKeys(keys, before) {
		return
	}
	f.current.Store(keys)
	f.log.Info("the signing keys changed", zap.String("signs", keys.KeyID()), zap.String("algorithm", keys.Algorithm()), zap.Int("keys", len(keys.byID)))
}

// sameKeys compares by ids, which stand for the keys.
func sameKeys(a, b *KeySet) bool {
	return a.KeyID() == b.KeyID() && maps.EqualFunc(a.byID, b.byID, func(*key, *key) bool { return true })
}
