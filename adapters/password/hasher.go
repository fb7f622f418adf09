// Package password makes and verifies stored credentials: argon2id for new ones, and every scheme of Django's hashers, so
// that imported users keep their passwords; those of one digest only with Options.Digests.
//
// A stored hash is not trusted: its parameters are bounded, and one that is malformed, of an unknown scheme or beyond the
// bounds fits no password, at the cost of an ordinary verification.
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

// Options bounds the resources for hashing.
type Options struct {
	// Workers is how many hashes of the preferred scheme may be made at once, each with one thread and 19 MiB. A stored
	// hash that needs more memory takes several places, so that Workers × 19 MiB bounds them all, except a single one that
	// is larger. Less than 1 is 1.
	Workers int
	// Wait is the longest that a caller waits for a place.
	Wait time.Duration
	// Queue is how many callers may wait at the same time; further ones are refused.
	Queue int
	// Digests accepts passwords that are stored as one SHA-1 or MD5, as in old Django projects.
	Digests bool
	// Observe, unless nil, is called after each computation: how long it waited for a place, and how long it took.
	Observe func(wait, took time.Duration)
	// Imported says that hashes in other schemes than the preferred are stored. Otherwise the Hasher notices that with
	// the first one that it reads.
	Imported bool
}

// Hasher makes and verifies hashes. It is safe for concurrent use. A computation cannot be interrupted; only waiting for
// one to begin ends with the context.
type Hasher struct {
	pool      *pool
	digests   bool
	costliest atomic.Int64         // units of the costliest hash that may be stored
	speed     func() time.Duration // of one hash in the preferred scheme
}

// New makes a Hasher. It measures the speed of the machine at the first verification.
func New(o Options) *Hasher {
	h := &Hasher{pool: newPool(o), digests: o.Digests, speed: sync.OnceValue(measure)}
	h.costliest.Store(int64(preferred.work().units))
	if o.Imported {
		h.met(work{})
	}
	return h
}

// errTooLong is a bug of the caller: the rules of the members refuse such passwords before.
var errTooLong = errors.New("password: longer than credential.MaxBytes")

// Hash returns p in the preferred scheme, with a new salt. It fails with credential.ErrBusy or the error of ctx, and on a
// password over credential.MaxBytes.
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

// Verify compares p with c. A hash needs a rehash unless it has the preferred scheme and parameters, whether it is weaker
// or stronger (as Django's must_update); but not if its scheme uses only the first bytes of a password and p has as many:
// what follows, or is missing, may be a typing error. A password over credential.MaxBytes fits no hash and is not hashed.
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

// try verifies a password. Nothing after the computation can fail, so that every wrong password is counted.
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

// Cost returns the cost of verifying c, and whether c can be read.
func (h *Hasher) Cost(c credential.Hash) (cost credential.Cost, ok bool) {
	s, ok := read(c, h.digests)
	return s.work.cost(), ok
}

// Waiting returns how many callers wait for a place.
func (h *Hasher) Waiting() int { return len(h.pool.queue) }
