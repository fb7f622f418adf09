package password

import (
	"fmt"
	"strings"
	"sync"
)

// kind is a sort of work: amounts of one kind can be compared and added up.
type kind int

const (
	argon2Single kind = iota // argon2 in one lane
	argon2Lanes              // argon2 in several, which a machine works off side by side
	pbkdf2SHA256
	pbkdf2SHA1
	bcryptRounds
	scryptBlocks
	kinds
)

func (k kind) String() string {
	return [kinds]string{"argon2 (KiB × passes)", "argon2 in lanes (KiB × passes)", "pbkdf2_sha256 (iterations)", "pbkdf2_sha1 (iterations)", "bcrypt (rounds)", "scrypt (N × r × p)"}[k]
}

// work is so much of one kind. How it is spread matters to the memory and the threads that it takes.
type work struct {
	kind    kind
	amount  int // KiB × passes, iterations, 2^cost, N × r × p
	kib     int // memory, in KiB
	threads int // processors that it keeps busy
}

// ceiling is the most work that the verification of a stored hash takes, of each kind, as far as is
// known. Every refused password costs as much in all, so that the time of an answer tells nothing of
// what is stored, or whether anything is. It only rises: a hash that was replaced since may be one of
// several.
type ceiling [kinds]work

// lowest is the ceiling when nothing but the preferred scheme is known.
var lowest = ceiling{argon2Single: preferred.work()}

// raise returns c with w below it.
func (c ceiling) raise(w work) ceiling {
	if at := &c[w.kind]; w.amount > at.amount {
		*at = w
	}
	return c
}

// missing returns what is to be done beside own, so that the total is the ceiling.
func (c ceiling) missing(own work) []work {
	var out []work
	for k, most := range c {
		if kind(k) == own.kind {
			most.amount -= own.amount
		}
		if most.amount > 0 {
			out = append(out, most)
		}
	}
	return out
}

// places returns how many of the pool's places the dearest work below c takes.
func (c ceiling) places() int64 {
	most := int64(1)
	for _, w := range c {
		most = max(most, w.places())
	}
	return most
}

// places returns how many of the pool's places w takes.
func (w work) places() int64 {
	return int64(max(1, (w.kib+preferred.kib-1)/preferred.kib, w.threads))
}

// String lists what is beside the preferred scheme, for the log.
func (c ceiling) String() string {
	var out []string
	for k, w := range c {
		if w.amount > lowest[k].amount {
			out = append(out, fmt.Sprintf("%s: %d", kind(k), w.amount))
		}
	}
	return strings.Join(out, ", ")
}

// known is a ceiling that rises while others read it.
type known struct {
	mu sync.Mutex
	c  ceiling
}

// with raises the ceiling by w and returns it.
func (k *known) with(w work) ceiling {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c = k.c.raise(w)
	return k.c
}

// raise raises the ceiling by w and reports whether it was lower.
func (k *known) raise(w work) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.c
	k.c = k.c.raise(w)
	return k.c != before
}
