package password

import (
	"encoding/binary"
	"sync"
	_ "unsafe" // for go:linkname
	"weak"

	_ "golang.org/x/crypto/argon2" // whose functions are linked below
	"golang.org/x/crypto/blake2b"
)

// variant is a variant of argon2 (RFC 9106). The zero value is none.
type variant int

const (
	argon2d variant = iota + 1
	argon2i
	argon2id
)

// variants are their names in a PHC string.
var variants = map[string]variant{"argon2d": argon2d, "argon2i": argon2i, "argon2id": argon2id}

// mode returns RFC 9106's number of the variant.
func (v variant) mode() uint32 { return uint32(v) - 1 } //nolint:gosec // 0, 1 or 2

// The versions of argon2. Hashes from before 2016 have version 16, which RFC 9106 does not describe.
const (
	version16 = 0x10
	version19 = 0x13
)

// syncPoints is how many slices a pass has.
const syncPoints = 4

type argon2Block [128]uint64

// These are the steps of golang.org/x/crypto/argon2. Its exported functions allocate new memory for each key, and fill it in
// goroutines of their own, which run on threads of ordinary priority. They also lack argon2d and version 16, which Django
// verifies, so that such users must be able to sign in once; that rehashes. The module is pinned, and tests compare the keys
// with those of its exported functions and of the reference implementation.

//go:linkname initBlocks golang.org/x/crypto/argon2.initBlocks
func initBlocks(h0 *[blake2b.Size + 8]byte, memory, threads uint32) []argon2Block

//go:linkname processBlock golang.org/x/crypto/argon2.processBlock
func processBlock(out, in1, in2 *argon2Block)

//go:linkname processBlockXOR golang.org/x/crypto/argon2.processBlockXOR
func processBlockXOR(out, in1, in2 *argon2Block)

//go:linkname indexAlpha golang.org/x/crypto/argon2.indexAlpha
func indexAlpha(random uint64, lanes, segments, threads, pass, slice, lane, index uint32) uint32

//go:linkname extractKey golang.org/x/crypto/argon2.extractKey
func extractKey(blocks []argon2Block, memory, threads, size uint32) []byte

// filling is the memory of one derivation.
type filling struct {
	blocks                                 []argon2Block
	mode                                   variant
	passes, memory, lanes, length, segment uint32

	fillBlock           func(out, in1, in2 *argon2Block) // overwrites a block, or adds to it
	addresses, in, zero argon2Block
}

// memory is that of keys with the preferred parameters, all zero. Allocating it for each key would cost a twentieth of the
// key's time, and one run of the garbage collector for a few keys. The collector frees it when no key is being derived.
type memory struct {
	mu    sync.Mutex
	spare []weak.Pointer[[]argon2Block]
}

var reused memory

func (m *memory) take() *[]argon2Block {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.spare) > 0 {
		last := len(m.spare) - 1
		blocks := m.spare[last].Value()
		if m.spare = m.spare[:last]; blocks != nil {
			return blocks
		}
	}
	blocks := make([]argon2Block, preferred.kib)
	return &blocks
}

// put makes blocks zero: the next key begins with zeros, and what is left of this one could reveal the password.
func (m *memory) put(blocks *[]argon2Block) {
	clear(*blocks)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spare = append(m.spare, weak.Make(blocks))
}

// key derives a key of size bytes, all of it in the calling goroutine. It panics without a variant or version.
func (p parameters) key(plain string, salt []byte, size int) []byte {
	f := filling{mode: p.variant, passes: uint32(p.passes), lanes: uint32(p.threads)} //nolint:gosec // bounded
	switch {
	case p.variant == 0:
		panic("password: argon2 without a variant")
	case p.version == version16: // a pass replaces the blocks of the pass before
		f.fillBlock = processBlock
	case p.version == version19:
		f.fillBlock = processBlockXOR
	default:
		panic("password: argon2 without a version")
	}
	f.segment = max(uint32(p.kib)/(syncPoints*f.lanes), 2) //nolint:gosec // bounded
	f.length = f.segment * syncPoints
	f.memory = f.length * f.lanes
	if int(f.memory) == preferred.kib {
		blocks := reused.take()
		defer reused.put(blocks)
		f.blocks = *blocks
	} else {
		f.blocks = make([]argon2Block, f.memory)
	}
	first := p.firstHash(plain, salt, size)
	for i, block := range initBlocks(&first, 2*f.lanes, f.lanes) { // the first two of each lane
		f.blocks[uint32(i)/2*f.length+uint32(i)%2] = block
	}
	for pass := range f.passes {
		for slice := range uint32(syncPoints) {
			for lane := range f.lanes {
				f.fill(pass, slice, lane)
			}
		}
	}
	return extractKey(f.blocks, f.memory, f.lanes, uint32(size)) //nolint:gosec // bounded
}

// firstHash returns H0 (RFC 9106, 3.2), with room for the two numbers that initBlocks appends.
func (p parameters) firstHash(plain string, salt []byte, size int) (h0 [blake2b.Size + 8]byte) {
	var in []byte
	number := func(n int) { in = binary.LittleEndian.AppendUint32(in, uint32(n)) } //nolint:gosec // bounded
	for _, n := range []int{p.threads, size, p.kib, p.passes, p.version, int(p.variant.mode())} {
		number(n)
	}
	for _, text := range [][]byte{[]byte(plain), salt, nil, nil} { // neither a secret nor associated data
		number(len(text))
		in = append(in, text...)
	}
	sum := blake2b.Sum512(in)
	copy(h0[:], sum[:])
	return h0
}

// fill fills one segment: the part of a slice that is in one lane.
func (f *filling) fill(pass, slice, lane uint32) {
	independent := f.mode == argon2i || f.mode == argon2id && pass == 0 && slice < syncPoints/2
	f.in = argon2Block{}
	for i, n := range []uint32{pass, lane, slice, f.memory, f.passes, f.mode.mode()} {
		f.in[i] = uint64(n)
	}
	start := uint32(0)
	if pass == 0 && slice == 0 {
		start = 2 // initBlocks made the first two
	}
	for index := start; index < f.segment; index++ {
		at := lane*f.length + slice*f.segment + index
		previous := at - 1
		if slice == 0 && index == 0 {
			previous += f.length // the last of the lane
		}
		random := f.blocks[previous][0]
		if independent {
			if n := uint32(len(f.addresses)); index%n == 0 || index == start {
				f.in[6]++
				processBlock(&f.addresses, &f.in, &f.zero)
				processBlock(&f.addresses, &f.addresses, &f.zero)
			}
			random = f.addresses[index%uint32(len(f.addresses))]
		}
		reference := indexAlpha(random, f.length, f.segment, f.lanes, pass, slice, lane, index)
		f.fillBlock(&f.blocks[at], &f.blocks[previous], &f.blocks[reference])
	}
}
