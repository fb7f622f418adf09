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
	"sync"
	"sync/atomic"
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
	// Imported says that hashes in other schemes than the preferred may be stored. Without it, that is
	// noted when the first one is met.
	Imported bool
}

// Hasher implements outbound.PasswordHasher. It is safe for concurrent use. A computation under way
// cannot be interrupted; only waiting for one to begin ends with the context.
type Hasher struct {
	pool      *pool
	digests   bool
	costliest atomic.Int64         // units of the costliest hash that may be stored
	speed     func() time.Duration // what one hash in the preferred scheme takes
}

// New makes a Hasher. How fast this machine is it measures when that first matters.
func New(o Options) *Hasher {
	h := &Hasher{pool: newPool(o), digests: o.Digests, speed: sync.OnceValue(measure)}
	h.costliest.Store(int64(preferred.work().units))
	if o.Imported {
		h.met(work{})
	}
	return h
}

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

// Verify implements outbound.PasswordHasher. A hash is outdated unless it is in the preferred scheme with
// the preferred parameters, whether weaker or stronger (as Django's must_update). But one that keeps only
// the first bytes of a password stays when p has as many: what follows, or is missing, may be a typing
// error. A password over credential.MaxBytes fits nothing and is not computed.
func (h *Hasher) Verify(ctx context.Context, p credential.Password, c credential.Hash) (outbound.Verification, error) {
	plain := p.Reveal()
	if len(plain) > credential.MaxBytes {
		return outbound.Verification{Refusal: h.refusal()}, ctx.Err()
	}
	s, ok := read(c, h.digests)
	if ok && !s.preferred {
		h.met(s.work)
	}
	if !ok || s.blindToNUL && strings.ContainsRune(plain, 0) {
		s = decoy
	}
	return h.try(ctx, plain, s)
}

// try verifies a password. Nothing after the computation can fail: that a password is wrong counts,
// whatever else happens.
func (h *Hasher) try(ctx context.Context, plain string, s stored) (v outbound.Verification, err error) {
	queued := time.Now()
	err = h.pool.do(ctx, s.work.places(), func() {
		target := h.refusal() // before the time is taken: the first call measures
		v.Refusal = time.Since(queued) + target
		v.Matches = s.fits(plain)
	})
	if err != nil {
		return outbound.Verification{}, err
	}
	v.NeedsRehash = v.Matches && !s.preferred && (s.counts == 0 || len(plain) < s.counts)
	return v, nil
}

// Cost implements outbound.StoredHashes.
func (h *Hasher) Cost(c credential.Hash) (cost credential.Cost, ok bool) {
	s, ok := read(c, h.digests)
	return s.work.cost(), ok
}
