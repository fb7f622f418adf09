package password

import (
	"bytes"
	"testing"

	"golang.org/x/crypto/argon2"
	"pgregory.net/rapid"
)

// The keys of version 19 are those of golang.org/x/crypto, whatever the parameters, also in memory that was used before.
func TestKeysOfVersion19(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := parameters{
			variant: rapid.SampledFrom([]variant{argon2i, argon2id}).Draw(t, "variant"), version: version19,
			kib: rapid.IntRange(1, 700).Draw(t, "KiB"), passes: rapid.IntRange(1, 4).Draw(t, "passes"), threads: rapid.IntRange(1, 8).Draw(t, "lanes"),
		}
		if rapid.IntRange(0, 50).Draw(t, "preferred memory") == 0 {
			p.kib, p.passes = preferred.kib+rapid.IntRange(0, 3).Draw(t, "more"), 1
		}
		plain, salt := rapid.String().Draw(t, "plain"), rapid.SliceOfN(rapid.Byte(), 8, 64).Draw(t, "salt")
		size := rapid.IntRange(4, 128).Draw(t, "size")
		reference := argon2.IDKey
		if p.variant == argon2i {
			reference = argon2.Key
		}
		want := reference([]byte(plain), salt, uint32(p.passes), uint32(p.kib), uint8(p.threads), uint32(size))
		if got := p.key(plain, salt, size); !bytes.Equal(got, want) {
			t.Fatalf("%+v: %x, want %x", p, got, want)
		}
	})
}

// A derivation with the preferred parameters reuses the memory of the former one, which was cleared.
func TestMemoryIsReused(t *testing.T) {
	held := reused.take() // so that the garbage collector cannot free it
	reused.put(held)
	preferred.key("lantern", bytes.Repeat([]byte{1}, saltBytes), keyBytes)
	blocks := reused.take()
	defer reused.put(blocks)
	if blocks != held {
		t.Error("the memory of the key before was not reused")
	}
	for i, b := range *blocks {
		if b != (argon2Block{}) {
			t.Fatalf("block %d is left", i)
		}
	}
}
