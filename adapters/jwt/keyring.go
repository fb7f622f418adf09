package jwt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// State is what a key is there for.
type State string

// The states of a key. All of them verify.
const (
	Added     State = "added"     // has not signed yet
	Signing   State = "signing"   // signs
	Verifying State = "verifying" // has signed, and tokens of it may be good still
	Expired   State = "expired"   // has signed, and its last token has expired
)

// KeyInfo describes a key. It holds nothing of it.
type KeyInfo struct {
	ID, Algorithm string
	State         State
	Created       time.Time
	Until         time.Time // when the last token of a key that has signed expires
}

// Why a key is left as it is.
var (
	ErrUnknownKey = errors.New("there is no such key")
	ErrSigns      = errors.New("the key signs; rotate to another one first")
	ErrInUse      = errors.New("tokens that the key signed may be good still")
)

// leeway is how long a key may go on signing after it was replaced, where an instance has not looked
// yet, and by how much clocks may differ.
const leeway = time.Minute

// Keyring is what an operator does with the keys of a folder, also while instances use them. A crash at
// any point leaves either the old state or the new one, and at most a key more than there should be.
type Keyring struct {
	folder, algorithm string
	lifetime          time.Duration
	now               func() time.Time

	replace func(name string, content []byte) error
	remove  func(name string) error
}

// NewKeyring makes a Keyring. algorithm is that of new keys where no other is asked for, lifetime the
// longest that a token is good.
func NewKeyring(folder, algorithm string, lifetime time.Duration) *Keyring {
	return &Keyring{folder: folder, algorithm: algorithm, lifetime: lifetime, now: time.Now, replace: replaceFile, remove: removeFile}
}

// List returns the keys, the oldest first; none where there is no folder yet.
func (r *Keyring) List() ([]KeyInfo, error) {
	if missing(r.folder) {
		return nil, nil
	}
	s, err := r.read()
	if errors.Is(err, errNoKeys) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.infos(), nil
}

// Add makes a key that verifies and is published, and does not sign yet; the very first one does. ""
// stands for the algorithm of new keys.
func (r *Keyring) Add(algorithm string) (KeyInfo, error) {
	if algorithm == "" {
		algorithm = r.algorithm
	}
	return r.change(algorithm, func(s *keyState) (KeyInfo, error) {
		kid, err := s.add(algorithm)
		if err != nil {
			return KeyInfo{}, err
		}
		return s.info(kid)
	})
}

// Rotate makes another key sign: that of the id, or for "" the one that was added last, or where none
// is waiting a new one. Those that signed before go on verifying. It fails with ErrUnknownKey.
func (r *Keyring) Rotate(kid string) (KeyInfo, error) {
	first := r.algorithm
	if kid != "" {
		first = ""
	}
	return r.change(first, func(s *keyState) (_ KeyInfo, err error) {
		if kid == "" {
			kid = s.newest()
		}
		if kid == "" {
			kid, err = s.add(r.algorithm)
		}
		if err == nil {
			err = s.sign(kid)
		}
		if err != nil {
			return KeyInfo{}, err
		}
		return s.info(kid)
	})
}

// Retire removes a key, and with it ends every token that it signed. It fails with ErrUnknownKey, with
// ErrSigns, and unless forced with ErrInUse; then too it tells of the key.
func (r *Keyring) Retire(kid string, force bool) (KeyInfo, error) {
	return r.change("", func(s *keyState) (KeyInfo, error) {
		k, err := s.info(kid)
		switch {
		case err != nil:
			return KeyInfo{}, err
		case k.State == Signing:
			return k, ErrSigns
		case k.State == Verifying && !force:
			return k, ErrInUse
		}
		return k, s.retire(kid)
	})
}

// RetireExpired removes every key whose last token has expired, and returns them.
func (r *Keyring) RetireExpired() (out []KeyInfo, err error) {
	_, err = r.change("", func(s *keyState) (last KeyInfo, err error) {
		for _, last = range s.infos() {
			if last.State != Expired {
				continue
			}
			if err := s.retire(last.ID); err != nil {
				return last, err
			}
			out = append(out, last)
		}
		return last, nil
	})
	return out, err
}

// change does something with the keys while nobody else does. Where there are none yet, it makes the
// first instead, for the algorithm given, unless that is "".
func (r *Keyring) change(first string, do func(*keyState) (KeyInfo, error)) (KeyInfo, error) {
	if first != "" {
		if err := makeFolder(r.folder); err != nil {
			return KeyInfo{}, fmt.Errorf("jwt: %w", err)
		}
	}
	unlock, err := r.lock()
	if err != nil {
		return KeyInfo{}, fmt.Errorf("jwt: %w", err)
	}
	defer unlock()
	s, err := r.read()
	if errors.Is(err, errNoKeys) && first != "" {
		if _, err := LoadOrCreate(r.folder, first); err != nil {
			return KeyInfo{}, err
		}
		if s, err = r.read(); err == nil {
			return s.describe(s.signing), nil
		}
	}
	if err != nil {
		return KeyInfo{}, err
	}
	return do(s)
}

// lock waits for the others who change keys.
func (r *Keyring) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(r.folder, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(handOver(f), lockFile(f)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

func (r *Keyring) read() (*keyState, error) {
	c, err := look(r.folder)
	if err != nil {
		return nil, err
	}
	told, err := readRecords(r.folder)
	return &keyState{r, c, told}, err
}
