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
func (r *Keyring) Add(algorithm string) (out KeyInfo, err error) {
	err = r.change(func(s *keyState) error {
		k, err := s.add(algorithm)
		if err == nil {
			out, err = s.info(k)
		}
		return err
	}, func(first KeyInfo) { out = first })
	return out, err
}

// Rotate makes another key sign: that of the id, or for "" the one that was added last, or where none
// is waiting a new one. Those that signed before go on verifying. It fails with ErrUnknownKey.
func (r *Keyring) Rotate(kid string) (out KeyInfo, err error) {
	err = r.change(func(s *keyState) error {
		if kid == "" {
			kid = s.newest()
		}
		if kid == "" {
			var err error
			if kid, err = s.add(""); err != nil {
				return err
			}
		}
		if err := s.sign(kid); err != nil {
			return err
		}
		out, err = s.info(kid)
		return err
	}, func(first KeyInfo) { out = first })
	return out, err
}

// Retire removes a key, and with it ends every token that it signed. It fails with ErrUnknownKey, with
// ErrSigns, and unless forced with ErrInUse.
func (r *Keyring) Retire(kid string, force bool) (out KeyInfo, err error) {
	err = r.change(func(s *keyState) error {
		if out, err = s.info(kid); err != nil {
			return err
		}
		switch {
		case out.State == Signing:
			return ErrSigns
		case out.State == Verifying && !force:
			return ErrInUse
		}
		return s.retire(kid)
	}, nil)
	return out, err
}

// RetireExpired removes every key whose last token has expired, and returns them.
func (r *Keyring) RetireExpired() (out []KeyInfo, err error) {
	err = r.change(func(s *keyState) error {
		for _, k := range s.infos() {
			if k.State != Expired {
				continue
			}
			if err := s.retire(k.ID); err != nil {
				return err
			}
			out = append(out, k)
		}
		return nil
	}, nil)
	return out, err
}

// change does something with the keys while nobody else does. Where there are none yet, made is told the
// first, and nothing else is done.
func (r *Keyring) change(do func(*keyState) error, made func(KeyInfo)) error {
	if made != nil {
		if err := os.MkdirAll(r.folder, 0o700); err != nil {
			return fmt.Errorf("jwt: %w", err)
		}
	}
	unlock, err := r.lock()
	if err != nil {
		return fmt.Errorf("jwt: %w", err)
	}
	defer unlock()
	s, err := r.read()
	if errors.Is(err, errNoKeys) && made != nil {
		keys, err := LoadOrCreate(r.folder, r.algorithm)
		if err == nil {
			made(KeyInfo{ID: keys.KeyID(), Algorithm: keys.Algorithm(), State: Signing, Created: r.now()})
		}
		return err
	}
	if err != nil {
		return err
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
