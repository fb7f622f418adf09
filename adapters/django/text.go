package django

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
)

const byteOrderMark = "\xef\xbb\xbf"

// openText returns the text of a fixture: decompressed, without a byte order mark, and with the numbers that JSON lacks
// replaced. It fails when the file is not JSON, with an error that names its type.
func openText(file io.Reader) (io.Reader, error) {
	in := bufio.NewReader(file)
	if head, _ := in.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("decompress the fixture: %w", err)
		}
		in = bufio.NewReader(z)
	}
	if head, _ := in.Peek(len(byteOrderMark)); string(head) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark))
	}
	t := &text{in: in}
	switch first, err := t.first(); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the fixture is empty")
	case err != nil:
		return nil, fmt.Errorf("read the fixture: %w", err)
	case first != '[' && first != '{':
		head, _ := in.Peek(in.Size()) // a shorter file is no error
		return nil, fmt.Errorf("the fixture is not JSON, but %s; give the JSON that manage.py dumpdata writes with -o FILE, "+
			"plain or gzipped, or the database itself", mimetype.Detect(head))
	}
	return t, nil
}

// text is JSON as Python writes it. Read replaces NaN and Infinity, which JSON does not have, with numbers of the same
// length that no member accepts. It cuts strings that are longer than maxObject, whose object is too large in any case,
// so that they need not be held in memory.
type text struct {
	in              *bufio.Reader
	quoted, escaped bool // the next byte is in a string, and follows a backslash there
	length, plain   int  // bytes of the string so far, and of them those after the last backslash
	cutting         bool // the rest of the string is left out
}

// first returns the first byte that is not white space, and leaves it unread.
func (t *text) first() (byte, error) {
	for {
		b, err := t.in.ReadByte()
		if err != nil || b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, errors.Join(err, t.in.UnreadByte())
		}
	}
}

func (t *text) Read(p []byte) (n int, err error) {
	for n < len(p) {
		b, err := t.in.ReadByte()
		if err != nil {
			return n, err
		}
		if b = t.next(b); !t.cut(b) {
			p[n] = b
			n++
		}
	}
	return n, nil
}

// longestEscape is the length of an escape sequence, such as \u00e9.
const longestEscape = 6

// cut reports whether a byte is left out. A string is cut between two characters.
func (t *text) cut(b byte) bool {
	if !t.quoted {
		t.length, t.plain, t.cutting = 0, 0, false
		return false
	}
	t.length++
	t.plain++
	if b == '\\' {
		t.plain = 0
	}
	between := t.escaped || t.plain > longestEscape && utf8.RuneStart(b) // b begins a character
	t.cutting = t.cutting || t.length > maxObject && between
	return t.cutting
}

func (t *text) next(b byte) byte {
	switch {
	case t.escaped:
		t.escaped = false
	case b == '"':
		t.quoted = !t.quoted
	case t.quoted:
		t.escaped = b == '\\'
	case b == 'N' && t.replace("aN", "e9"), b == 'I' && t.replace("nfinity", "e999999"):
		return '1'
	}
	return b
}

// replace replaces the next bytes if they are those of old. Both have the same length.
func (t *text) replace(old, replacement string) bool {
	buffered, _ := t.in.Peek(len(old))
	if string(buffered) != old {
		return false
	}
	copy(buffered, replacement)
	return true
}
