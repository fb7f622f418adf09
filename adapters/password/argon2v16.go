package password

import (
	"encoding/binary"
	"sync"
	_ "unsafe" // for go:linkname

	"golang.org/x/crypto/blake2b"
)

// The versions of argon2. Hashes from before 2016 have version 16, which RFC 9106 does not describe;
// golang.org/x/crypto has only version 19.
const (
	version16 = 0x10
	version19 = 0x13
)

// syncPoints is how many slices a pass has.
const syncPoints = 4

type argon2Block [128]uint64

// These are steps of golang.org/x/crypto/argon2 that are the same in both versions; see deriveKey.

//go:linkname initBlocks golang.org/x/crypto/argon2.initBlocks
func initBlocks(h0 *[blake2b.Size + 8]byte, memory, threads uint32) []argon2Block

//go:linkname processBlock golang.org/x/crypto/argon2.processBlock
func processBlock(out, in1, in2 *argon2Block)

//go:linkname indexAlpha golang.org/x/crypto/argon2.indexAlpha
func indexAlpha(random uint64, lanes, segments, threads, pass, slice, lane, index uint32) uint32

//go:linkname extractKey golang.org/x/crypto/argon2.extractKey
func extractKey(blocks []argon2Block, memory, threads, size uint32) []byte

// deriveKey16 derives a key by version 16. It differs from version 19 (RFC 9106, 3.2) in two points: the version number in
// the first hash, and that a pass replaces the blocks of the pass before, where version 19 adds to them.
func deriveKey16(mode variant, password, salt []byte, passes, kib uint32, threads uint8, size uint32) []byte {
	lanes := uint32(threads)
	memory := max(kib/(syncPoints*lanes), 2) * syncPoints * lanes
	first := firstHash16(mode, password, salt, passes, kib, lanes, size)
	f := fill16{
		blocks: initBlocks(&first, memory, lanes), mode: mode, passes: passes, memory: memory,
		lanes: lanes, length: memory / lanes, segment: memory / lanes / syncPoints,
	}
	for pass := range passes {
		for slice := range uint32(syncPoints) {
			var group sync.WaitGroup
			for lane := range lanes {
				group.Go(func() { f.fill(pass, slice, lane) })
			}
			group.Wait()
		}
	}
	return extractKey(f.blocks, memory, lanes, size)
}

// firstHash16 returns H0, with room for the two numbers that initBlocks appends.
func firstHash16(mode variant, password, salt []byte, passes, kib, lanes, size uint32) (h0 [blake2b.Size + 8]byte) {
	var in []byte
	number := func(n uint32) { in = binary.LittleEndian.AppendUint32(in, n) }
	for _, n := range []uint32{lanes, size, kib, passes, version16, uint32(mode.mode())} { //nolint:gosec // 0, 1 or 2
		number(n)
	}
	for _, text := range [][]byte{password, salt, nil, nil} { // neither a secret nor associated data
		number(uint32(len(text))) //nolint:gosec // bounded
		in = append(in, text...)
	}
	sum := blake2b.Sum512(in)
	copy(h0[:], sum[:])
	return h0
}

// fill16 is the memory of one derivation.
type fill16 struct {
	blocks                                 []argon2Block
	mode                                   variant
	passes, memory, lanes, length, segment uint32
}

// fill fills one segment: the part of a slice that is in one lane.
func (f *fill16) fill(pass, slice, lane uint32) {
	var addresses, in, zero argon2Block
	independent := f.mode == argon2i || f.mode == argon2id && pass == 0 && slice < syncPoints/2
	for i, n := range []uint32{pass, lane, slice, f.memory, f.passes, uint32(f.mode.mode())} { //nolint:gosec // 0, 1 or 2
		in[i] = uint64(n)
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
			if n := uint32(len(addresses)); index%n == 0 || index == start {
				in[6]++
				processBlock(&addresses, &in, &zero)
				processBlock(&addresses, &addresses, &zero)
			}
			random = addresses[index%uint32(len(addresses))]
		}
		reference := indexAlpha(random, f.length, f.segment, f.lanes, pass, slice, lane, index)
		processBlock(&f.blocks[at], &f.blocks[previous], &f.blocks[reference])
	}
}
