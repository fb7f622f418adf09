package jwt

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"

	"roster/domain/session"
)

// The layout of a jti that contains its session: 24 digits of the session's id and 8 others, in a refresh token the
// generation, in an access token random with the highest bit set.
const (
	sessionDigits = 24
	jtiDigits     = 32
	accessBit     = 1 << 31
)

func refreshJTI(id session.ID, generation int) string { return fmt.Sprintf("%s%08x", id, generation) }

func accessJTI(id session.ID) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return fmt.Sprintf("%s%08x", id, binary.BigEndian.Uint32(b[:])|accessBit)
}

// infer returns the session and generation that a jti contains, "" when it contains none.
func infer(t session.TokenType, jti string) (session.ID, int) {
	if !isHex(jti, jtiDigits) {
		return "", 0
	}
	id := session.ID(jti[:sessionDigits])
	n, _ := strconv.ParseUint(jti[sessionDigits:], 16, 32)
	switch {
	case t == session.Refresh && n < accessBit:
		return id, int(n)
	case t == session.Access && n >= accessBit:
		return id, 0
	}
	return "", 0
}

// ownRefresh reports whether a refresh token's jti, of a session and generation that infer returned, cannot come
// from another issuer: SimpleJWT's are UUIDs of version 4 (RFC 9562, 5.4), and of other random ones only one
// in 65,536 has so low a generation.
func ownRefresh(t session.TokenType, jti string, generation int) bool {
	const low = 1 << 16
	uuid4 := jti[12] == '4' && jti[16] >= '8' && jti[16] <= 'b'
	return t == session.Refresh && generation < low && !uuid4
}

// isHex reports whether s is n lower-case hexadecimal digits.
func isHex(s string, n int) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == n
}
