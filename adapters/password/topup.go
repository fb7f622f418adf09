package password

import (
	"fmt"
	"math/bits"

	"golang.org/x/crypto/bcrypt"
)

var noSalt = []byte("no salt at all..")

// waste does w for nothing, with no more memory and threads than w says. Less than the smallest unit
// of a scheme is left out: 8 KiB for each lane of argon2, 2 of scrypt's blocks.
func (w work) waste(m machine, plain string) {
	switch w.kind {
	case argon2Single, argon2Lanes:
		w.wasteArgon2(m, plain)
	case pbkdf2SHA256, pbkdf2SHA1:
		m.pbkdf2(w.kind, plain, noSalt, w.amount)
	case bcryptRounds:
		w.wasteBcrypt(m, plain)
	case scryptBlocks:
		w.wasteScrypt(m, plain)
	case kinds: // no kind, only their number
	}
}

func (w work) wasteArgon2(m machine, plain string) {
	if passes := w.amount / w.kib; passes > 0 {
		m.argon2(cost{kib: w.kib, passes: passes, threads: w.threads}, plain, noSalt, keyBytes)
	}
	if rest := w.amount % w.kib; rest >= 8*w.threads {
		m.argon2(cost{kib: rest, passes: 1, threads: w.threads}, plain, noSalt, keyBytes)
	}
}

// wasteBcrypt makes an amount of powers of two: 2^12 less 2^10 is 2^11 and 2^10.
func (w work) wasteBcrypt(m machine, plain string) {
	for rest := w.amount; rest > 0; rest &= rest - 1 { // the lowest bit goes
		c := bits.TrailingZeros(uint(rest))
		if c >= bcrypt.MinCost {
			m.bcrypt(fmt.Sprintf("$2b$%02d$%s", c, noBcrypt), c, cutAt72(plain))
		}
	}
}

// noBcrypt is the salt and the key of a bcrypt hash, in its own base64.
const noBcrypt = "zK8U.VG2vpPvhDTvf92Ese4HOyEdoRcKw.a3UP/Vd5hVPXabcdefg"

// wasteScrypt makes an amount of calls with block size 8, the usual one, and powers of two for N, none
// of them with more memory than the costliest hash takes.
func (w work) wasteScrypt(m machine, plain string) {
	const r = 8
	most := max(2, floorPower(w.kib)) // with r = 8 a block of N is 1 KiB
	rest := w.amount
	for rest/r >= 2 {
		n := min(most, floorPower(rest/r))
		m.scrypt(plain, noSalt, n, r, 1)
		rest -= n * r
	}
	for n := floorPower(rest); n >= 2; n = floorPower(rest) {
		m.scrypt(plain, noSalt, n, 1, 1)
		rest -= n
	}
}

// floorPower returns the greatest power of two that is at most n; 0 when there is none.
func floorPower(n int) int {
	if n < 1 {
		return 0
	}
	return 1 << (bits.Len(uint(n)) - 1)
}
