// Package password makes and verifies stored credentials: argon2id for new ones, and every scheme
// that Django's own hashers write, so that imported users keep their passwords; those of one digest
// where they are asked for.
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
	// Digests lets passwords fit that are stored as one SHA-1 or MD5, as old Django projects have them.
	Digests bool
}

// Hasher implements outbound.PasswordHasher. It is safe for concurrent use. A computation under way
// cannot be interrupted; only waiting for one to begin ends with the context.
type Hasher struct {
	pool    *pool
	machine machine
	known   known
	digests bool
}

// New makes a Hasher.
func New(o Options) *Hasher {
	return &Hasher{pool: newPool(o), machine: processor{}, known: known{c: lowest}, digests: o.Digests}
}

// Learn makes refused passwords cost as much as the verification of c does from now on, if that is
// more, and reports whether it is. What is not learned beforehand is learned when it is first
// verified; until then, whose it is can be told by the time that a refusal takes.
func (h *Hasher) Learn(c credential.Hash) (more bool) {
	s, ok := read(c, h.digests)
	return ok && h.known.raise(s.work)
}

// Ceiling lists what refused passwords cost beside the preferred scheme, for the log; "" for nothing.
func (h *Hasher) Ceiling() string { return h.known.with(work{}).String() }

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
	if err := h.pool.do(ctx, 1, func() { encoded = encode(h.machine, plain) }); err != nil {
		return credential.Hash{}, err
	}
	return credential.RestoreHash(encoded), nil
}

// Verify reports whether p fits the stored credential, and if so whether that is to be replaced by
// Hash(p), being of another scheme or other parameters than the preferred, weaker or stronger alike
// (as Django's must_update). A password over credential.MaxBytes fits nothing and costs nothing. It
// fails with credential.ErrBusy or the context's error.
//
// A password that does not fit costs as much as every other one, whatever is stored: the verification
// and what is missing to the dearest of each scheme met so far. One that fits costs no more than that.
func (h *Hasher) Verify(ctx context.Context, p credential.Password, c credential.Hash) (fits, outdated bool, err error) {
	plain := p.Reveal()
	if len(plain) > credential.MaxBytes {
		return false, false, ctx.Err()
	}
	s, ok := read(c, h.digests)
	most := h.known.with(s.work) // also of a hash that is not tried with this password
	if !ok || s.blindToNUL && strings.ContainsRune(plain, 0) {
		s = decoy
	}
	topUp := func() {
		for _, w := range most.missing(s.work) {
			w.waste(h.machine, plain)
		}
	}
	apart := most.places() > 1 // whom it fits shall not wait for places that only the rest needs
	err = h.pool.do(ctx, s.work.places(), func() {
		if fits = s.fits(h.machine, plain); !fits && !apart {
			topUp()
		}
	})
	if err == nil && !fits && apart {
		err = h.pool.do(ctx, most.places(), topUp)
	}
	if err != nil {
		return false, false, err
	}
	return fits, fits && !s.preferred, nil
}

// Readable reports whether some password may fit a stored credential. It costs nothing.
func (h *Hasher) Readable(c credential.Hash) bool {
	_, ok := read(c, h.digests)
	return ok
}
