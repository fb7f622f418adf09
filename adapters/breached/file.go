package breached

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"roster/domain/credential"
	"roster/ports/outbound"
)

var _ outbound.BreachedPasswords = (*File)(nil)

// File looks hashes up in a file of Have I Been Pwned: lines "SHA1:COUNT", in the order of the hashes
// (what haveibeenpwned-downloader writes; some 40 GB). A look-up is a binary search of some thirty reads of one block.
type File struct {
	file io.ReaderAt
	size int64
	done func() error
}

// blockBytes is how much is read at once; a line has some 50 bytes.
const blockBytes = 256

// OpenFile opens the file and reads some of its lines. It fails if one has another form or they are not in order. In a
// file that is out of order elsewhere, some hashes are not found.
func OpenFile(name string) (*File, error) {
	f, err := os.Open(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a regular file")
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	b := &File{file: f, size: info.Size(), done: f.Close}
	if err := b.check(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return b, nil
}

// Close closes the file.
func (b *File) Close() error { return b.done() }

// Breached reports whether the file has the hash of p. Its errors hold nothing of the password.
func (b *File) Breached(ctx context.Context, p credential.Password) (bool, error) {
	hash := sum(p)
	low, high := int64(0), b.size // the line begins at low or later and before high, if it exists
	for low < high {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		middle := low + (high-low)/2
		at, line, next, err := b.lineFrom(middle, low)
		switch {
		case err != nil:
			return false, fmt.Errorf("breached passwords: %w", err)
		case line == hash:
			return true, nil
		case line < hash:
			low = next
		default:
			high = at
		}
	}
	return false, nil
}

var errForm = errors.New("a line of the file is not in the form SHA1:COUNT")

// lineFrom returns the hash of the line that contains the byte at middle, the offset of that line and of the one after
// it. No line begins before low.
func (b *File) lineFrom(middle, low int64) (at int64, hash string, next int64, err error) {
	from := max(low, middle-blockBytes/2)
	block := make([]byte, blockBytes)
	n, err := b.file.ReadAt(block, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, "", 0, err
	}
	block = block[:n]
	before := int(middle - from)
	if before >= n {
		return 0, "", 0, io.ErrUnexpectedEOF // the file became shorter
	}
	begin := bytes.LastIndexByte(block[:before], '\n') + 1
	if begin == 0 && from > low {
		return 0, "", 0, errForm // a line longer than half a block
	}
	end := bytes.IndexByte(block[before:], '\n')
	switch {
	case end >= 0:
		end += before
	case from+int64(n) >= b.size: // the last line may lack its end
		end = n
	default:
		return 0, "", 0, errForm
	}
	hash, count, ok := strings.Cut(strings.TrimSuffix(string(block[begin:end]), "\r"), ":")
	if !ok || count == "" || !isHex(hash, hashDigits) {
		return 0, "", 0, errForm
	}
	return from + int64(begin), strings.ToUpper(hash), from + int64(end) + 1, nil
}

// check reads lines at equal distances. They must have the form and be in order.
func (b *File) check() error {
	const samples = 64
	if b.size == 0 {
		return errors.New("is empty")
	}
	last, lastAt := "", int64(-1)
	for i := range int64(samples) {
		at, hash, _, err := b.lineFrom((b.size-1)*i/(samples-1), 0)
		switch {
		case err != nil:
			return err
		case at > lastAt && hash <= last:
			return errors.New("is not in the order of its hashes; download it as one file ordered by hash")
		}
		last, lastAt = hash, at
	}
	return nil
}
