package password

import (
	"time"

	"roster/domain/credential"
)

// work is the work of verifying a stored credential.
type work struct {
	units int // one is a pass of argon2 over one KiB
	kib   int // memory, in KiB
}

// The units of one step of the other schemes, measured on x86-64 (within a third, with and without the processor's
// instructions for SHA), and rounded so that the defaults of Django are below credential.MaxTimes.
const (
	iterationsPerUnit = 4  // of PBKDF2, with SHA-1 or SHA-256: 1,556,480 iterations are the most
	unitsPerRound     = 80 // of bcrypt, which does 2^cost rounds: cost 12 is the most
	blocksPerFive     = 2  // units that five of scrypt's blocks take, of N·r·p of 128 bytes
)

// cost returns w relative to a hash in the preferred scheme.
func (w work) cost() credential.Cost {
	return credential.Cost{Times: credential.MaxTimes * float64(w.units) / float64(acceptable), MiB: (w.kib + 1023) / 1024}
}

// places returns how many places of the pool w takes.
func (w work) places() int64 {
	return int64(max(1, (w.kib+preferred.kib-1)/preferred.kib))
}

const (
	// headroom is how much longer a refusal takes than its work should: the user is read before, other work of the
	// machine may slow the hash down, and the units are not exact.
	headroom = 2
	// maxRefusal bounds how long a refusal takes. A verification that takes longer is not hidden.
	maxRefusal = 2 * time.Second
)

// refusal returns how long a refusal takes without its time in the queue: headroom times the work of the costliest hash
// that may be stored, at the speed of this machine.
func (h *Hasher) refusal() time.Duration {
	times := float64(h.costliest.Load()) / float64(preferred.work().units)
	return min(maxRefusal, time.Duration(headroom*times*float64(h.speed())))
}

// met records that a hash with work w in another scheme or with other parameters is stored. From then on refusals take as
// long as that hash, and as any hash that an import accepts without a flag.
func (h *Hasher) met(w work) {
	units := max(int64(w.units), acceptable)
	for old := h.costliest.Load(); old < units && !h.costliest.CompareAndSwap(old, units); old = h.costliest.Load() {
	}
}

// acceptable is the units of the costliest hash that an import accepts without a flag.
var acceptable = int64(credential.MaxTimes * preferred.work().units)

// measure returns how long a hash in the preferred scheme takes: the shortest of three, which other work of the machine
// affects least.
func measure() time.Duration {
	shortest := maxRefusal
	for range 3 {
		begun := time.Now()
		decoy.fits("")
		shortest = min(shortest, time.Since(begun))
	}
	return shortest
}
