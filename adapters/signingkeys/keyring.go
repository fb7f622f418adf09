package signingkeys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"roster/adapters/privatefile"
	"roster/domain/signing"
	"roster/ports/outbound"
)

// ErrOtherKeys is the error of a backup whose keys are not those that are there.
var ErrOtherKeys = errors.New("there are other keys already")

// leeway is added to the lifetime of tokens, for instances that have not followed a rotation yet and for the difference
// between clocks.
const leeway = time.Minute

// Keyring changes the keys of a directory, which instances may use and other Keyrings change at the same time. Each change
// replaces the file once, so a crash leaves the keys as they were before or after it.
type Keyring struct {
	path      string
	algorithm string
	lifetime  time.Duration
	now       func() time.Time
	write     func(d *document, path string) error
}

var _ outbound.Keyring = (*Keyring)(nil)

// NewKeyring returns a Keyring. algorithm is the default for new keys, lifetime the longest of a token.
func NewKeyring(dir, algorithm string, lifetime time.Duration) *Keyring {
	return &Keyring{filepath.Join(dir, FileName), algorithm, lifetime, time.Now, (*document).write}
}

// List returns the keys, the oldest first; none where there is no key file.
func (r *Keyring) List(ctx context.Context) ([]signing.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d, err := read(r.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	out := make([]signing.Key, len(d.Keys))
	for i, e := range d.Keys {
		out[i] = r.describe(d, e)
	}
	return out, nil
}

// Add makes a key that verifies and is published, and does not sign yet; the very first one signs. An empty
// algorithm is that of NewKeyring.
func (r *Keyring) Add(ctx context.Context, algorithm string) (signing.Key, error) {
	if algorithm == "" {
		algorithm = r.algorithm
	}
	return r.change(ctx, true, func(d *document) (*entry, error) { return r.add(d, algorithm) })
}

// AddFrom is Add for the key in a file: one private key as PKCS #8 in PEM (RFC 7468). It fails with
// signing.ErrKnownKey, and as privatefile.Read does.
func (r *Keyring) AddFrom(ctx context.Context, file string) (signing.Key, error) {
	text, err := privatefile.Read(file, MaxFile)
	if err != nil {
		return signing.Key{}, err
	}
	k, err := parsePrivate(text)
	if err != nil {
		return signing.Key{}, fmt.Errorf("%s: %w", file, err)
	}
	return r.change(ctx, true, func(d *document) (*entry, error) {
		if e := d.find(k.id); e != nil {
			return e, fmt.Errorf("%w: %s", signing.ErrKnownKey, k.id)
		}
		return d.add(k, r.now().UTC()), nil
	})
}

// Rotate makes another key sign: that of the id or, for "", the one added last or, where no added key is
// left, a new one. The former one still verifies. It fails with signing.ErrUnknownKey.
func (r *Keyring) Rotate(ctx context.Context, id string) (signing.Key, error) {
	return r.change(ctx, id == "", func(d *document) (e *entry, err error) {
		if id != "" {
			e, err = r.find(d, id)
		} else if e = d.newest(); e == nil {
			e, err = r.add(d, r.algorithm)
		}
		if err == nil {
			d.sign(e, r.now().UTC(), r.lifetime)
		}
		return e, err
	})
}

// Retire removes a key, so that what it signed is refused. It fails with signing.ErrUnknownKey, with signing.ErrSigns and,
// unless forced, with signing.ErrInUse; after the last it returns the key too.
func (r *Keyring) Retire(ctx context.Context, id string, force bool) (signing.Key, error) {
	return r.change(ctx, false, func(d *document) (*entry, error) {
		e, err := r.find(d, id)
		if err != nil {
			return nil, err
		}
		switch state := r.describe(d, e).State; {
		case state == signing.Signing:
			return e, signing.ErrSigns
		case state == signing.Verifying && !force:
			return e, signing.ErrInUse
		}
		d.Keys = slices.DeleteFunc(d.Keys, func(k *entry) bool { return k.id == id })
		return e, nil
	})
}

// RetireExpired removes every key whose last token has expired, and returns them.
func (r *Keyring) RetireExpired(ctx context.Context) (removed []signing.Key, err error) {
	_, err = r.change(ctx, false, func(d *document) (last *entry, _ error) {
		d.Keys = slices.DeleteFunc(d.Keys, func(e *entry) bool {
			k := r.describe(d, e)
			if k.State == signing.Expired {
				removed, last = append(removed, k), e
			}
			return k.State == signing.Expired
		})
		return last, nil
	})
	if err != nil {
		return nil, err
	}
	return removed, nil
}

// Content returns the content of the key file, for a backup. It fails with fs.ErrNotExist if there is none.
func (r *Keyring) Content() ([]byte, error) {
	content, err := readContent(r.path)
	if err == nil {
		_, err = parse(r.path, content)
	}
	return content, err
}

// Restore makes the key file from the result of Content. If there is one with the same keys, it does nothing; with
// others it fails with ErrOtherKeys.
func (r *Keyring) Restore(ctx context.Context, content []byte) error {
	backup, err := parse(FileName, content)
	if err != nil {
		return err
	}
	_, err = r.change(ctx, true, func(d *document) (*entry, error) {
		if len(d.Keys) == 0 {
			*d = *backup
			return d.find(d.Signing), nil
		}
		if !sameKeys(d, backup) {
			return nil, fmt.Errorf("%s: %w", r.path, ErrOtherKeys)
		}
		return nil, nil
	})
	return err
}

func sameKeys(a, b *document) bool {
	return a.Signing == b.Signing && slices.EqualFunc(a.Keys, b.Keys, func(a, b *entry) bool { return a.id == b.id })
}

func (r *Keyring) find(d *document, id string) (*entry, error) {
	if e := d.find(id); e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%w: %s", signing.ErrUnknownKey, id)
}

// add makes a key.
func (r *Keyring) add(d *document, algorithm string) (*entry, error) {
	if err := checkAlgorithm(algorithm); err != nil {
		return nil, err
	}
	k, err := generate(algorithm)
	if err != nil {
		return nil, err
	}
	return d.add(k, r.now().UTC()), nil
}

// lockPoll is the time between attempts to get the lock.
const lockPoll = 20 * time.Millisecond

// change reads the keys, calls do and writes them, while holding a lock. do returns the key that it changed, or nil for no
// change. If create is false and there is no key file, change makes no directory.
func (r *Keyring) change(ctx context.Context, create bool, do func(*document) (*entry, error)) (signing.Key, error) {
	dir := filepath.Dir(r.path)
	if _, err := os.Stat(r.path); create && err != nil {
		if err := privatefile.MkdirAll(dir); err != nil {
			return signing.Key{}, err
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		_, err := do(&document{})
		return signing.Key{}, err
	}
	if err := privatefile.CheckDir(dir); err != nil {
		return signing.Key{}, err
	}
	file := filepath.Join(dir, "."+FileName+".lock")
	if err := privatefile.Touch(file); err != nil {
		return signing.Key{}, err
	}
	lock := flock.New(file, flock.SetFlag(os.O_RDWR)) // without O_CREATE, which follows symbolic links
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return signing.Key{}, fmt.Errorf("%s: %w", file, err)
	}
	defer lock.Close() //nolint:errcheck // the change is complete; the end of the process releases the lock too
	if err := privatefile.RemoveUnfinished(r.path); err != nil {
		return signing.Key{}, err
	}
	d, err := read(r.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return signing.Key{}, err
	}
	e, err := do(d)
	if e == nil {
		return signing.Key{}, err
	}
	if err == nil {
		err = r.write(d, r.path)
	}
	return r.describe(d, e), err
}

func (r *Keyring) describe(d *document, e *entry) signing.Key {
	out := signing.Key{ID: e.id, Algorithm: e.algorithm, Created: e.Created}
	switch {
	case e.id == d.Signing:
		out.State = signing.Signing
		return out
	case d.unused(e):
		out.State = signing.Added
		return out
	}
	out.State, out.Until = signing.Verifying, e.TokensUntil
	if until := e.Stopped.Add(r.lifetime); until.After(out.Until) { // the lifetime is longer by now
		out.Until = until
	}
	out.Until = out.Until.Add(leeway)
	if !r.now().Before(out.Until) {
		out.State = signing.Expired
	}
	return out
}
