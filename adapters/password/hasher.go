// Package password makes and verifies stored credentials: argon2id for new ones, and every scheme
// that Django's own hashers write, so that imported users keep their passwords.
//
// A stored hash is not trusted: its parameters are bounded, and one that is broken, of an unknown
// scheme or beyond the bounds fits no password, at the cost of an ordinary verification.
package password

import (
	"context"
	"errors"
	"strings"
	"time"

	"roster/domain/credential"
	"roster/ports/outbound"
)

var (
	_ outbound.PasswordHasher = (*Hasher)(nil)
	_ outbound.StoredHashes   = (*Hasher)(nil)
)

// Options bounds what hashing may take of the machine.
type Options struct {
	// Workers is how many hashes of the preferred scheme may be made at once, each with one thread
	// and 19 MiB. A stored hash that asks for more memory or threads takes the place of several, so
	// that Workers × 19 MiB bounds them all but a single one that is larger. Less than 1 is 1.
	Workers int
	// Wait is the longest that a caller waits for a place.
	Wait time.Duration
	// Queue is how many callers may wait at once; further ones are refused at once.
	Queue int
}

// Hasher implements outbound.PasswordHasher. It is safe for concurrent use. A computation under way
// cannot be interrupted; only waiting for one to begin ends with the context.
type Hasher struct{ pool *pool }

// New makes a Hasher.
func New(o Options) *Hasher { return &Hasher{newPool(o)} }

// errTooLong is a defect of the caller: the rules of the members refuse such passwords before.
var errTooLong = errors.New("password: longer than credential.MaxBytes")

// Hash returns p in the preferred scheme, with a fresh salt. It fails with credential.ErrBusy, the
// context's error, or on a password over credential.MaxBytes.
func (h *Hasher) Hash(ctx context.Context, p credential.Password) (credential.Hash, error) {
	plain := p.Reveal()
	if len(plain) > credential.MaxBytes {
		return credential.Hash{}, errTooLong
	}
	var encoded string
	if err := h.pool.do(ctx, 1, func() { encoded = encode(plain) }); err != nil {
		return credential.Hash{}, err
	}
	return credential.RestoreHash(encoded), nil
}

// Verify reports whether p fits the stored credential, and if so whether that is to be replaced by
// Hash(p), being of another scheme or other parameters than the preferred, weaker or stronger alike
// (as Django's must_update). A password over credential.MaxBytes fits nothing and costs nothing. It
// fails with credential.ErrBusy or the context's error.
func (h *Hasher) Verify(ctx context.Context, p credential.Password, c credential.Hash) (fits, outdated bool, err error) {
	plain := p.Reveal()
	if len(plain) > credential.MaxBytes {
		return false, false, ctx.Err()
	}
	s, ok := read(c)
	if !ok || s.blindToNUL && strings.ContainsRune(plain, 0) {
		s = decoy
	}
	err = h.pool.do(ctx, s.places(), func() {
		fits = s.fits(plain)
		if !fits && s.light {
			decoy.fits(plain) // else a wrong password would tell that the stored hash is a cheap one
		}
	})
	if err != nil {
		return false, false, err
	}
	return fits, fits && !s.preferred, nil
}

// Readable reports whether some password may fit a stored credential. It costs nothing.
func (*Hasher) Readable(c credential.Hash) bool {
	_, ok := read(c)
	return ok
}
