package password_test

import (
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// golden returns the PHC string of argon2id for the password "lantern", computed without the adapter.
func golden(kib, passes, lanes, salt, key int) string {
	s := []byte("salt salt salt salt salt")[:salt]
	k := argon2.IDKey([]byte("lantern"), s, uint32(passes), uint32(kib), uint8(lanes), uint32(key))
	return phc("argon2id", kib, passes, lanes, s, k)
}

func goldenI(kib, passes, lanes, salt, key int) string {
	s := []byte("salt salt salt salt salt")[:salt]
	k := argon2.Key([]byte("lantern"), s, uint32(passes), uint32(kib), uint8(lanes), uint32(key))
	return phc("argon2i", kib, passes, lanes, s, k)
}

func phc(name string, kib, passes, lanes int, salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$%s$v=19$m=%d,t=%d,p=%d$%s$%s", name, kib, passes, lanes, b64(salt), b64(key))
}
