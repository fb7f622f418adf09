package django

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxObject is the most bytes of one object of a fixture that are kept in memory.
const maxObject = 8 << 20

// infinite is a number of JSON that no member takes. It stands for NaN and Infinity, which Python
// writes although JSON has none of them; Python reads it as Infinity.
const infinite = "1e999"

// objects splits the text of a fixture into its objects, which stand in an array or one after the
// other. It judges only what it needs for that; the objects are still to be parsed.
type objects struct {
	in    *bufio.Reader
	at    int64 // bytes read
	n     int   // objects begun
	start int64 // where the present one begins
	array bool
	buf   []byte
}

// next returns the next object, good until the following call, or io.EOF after the last one. Of an
// object over maxObject it returns the beginning, and whole is false.
func (o *objects) next() (object []byte, whole bool, err error) {
	b, err := o.visible()
	if o.n == 0 && err == nil && b == '[' {
		o.array = true
		b, err = o.visible()
	}
	if o.array {
		switch {
		case err != nil:
			return nil, false, o.broken(err)
		case b == ']':
			if _, err = o.visible(); err == nil {
				err = fmt.Errorf("the fixture goes on after its end, object %d", o.n)
			}
			return nil, false, err
		case o.n > 0 && b != ',':
			return nil, false, o.invalid()
		case o.n > 0:
			b, err = o.visible()
		}
	}
	switch {
	case errors.Is(err, io.EOF) && !o.array:
		return nil, false, err
	case err != nil:
		return nil, false, o.broken(err)
	}
	o.n++
	if b != '{' {
		return nil, false, o.invalid()
	}
	return o.object()
}

// object reads to the end of an object. Its first byte was read.
func (o *objects) object() (_ []byte, whole bool, err error) {
	o.buf, o.start, whole = append(o.buf[:0], '{'), o.at-1, true
	text, escaped := false, false
	for depth := 1; depth > 0; {
		b, err := o.byte()
		if err != nil {
			return nil, false, o.broken(err)
		}
		instead := ""
		switch {
		case escaped:
			escaped = false
		case text && b == '\\':
			escaped = true
		case b == '"':
			text = !text
		case text:
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			depth--
		case b == 'N':
			instead, err = infinite, o.literal("aN")
		case b == 'I':
			instead, err = infinite, o.literal("nfinity")
		}
		switch {
		case err != nil:
			return nil, false, err
		case len(o.buf) >= maxObject:
			whole = false
		case instead != "":
			o.buf = append(o.buf, instead...)
		default:
			o.buf = append(o.buf, b)
		}
	}
	if whole && !utf8.Valid(o.buf) {
		return nil, false, fmt.Errorf("the fixture is not in UTF-8, object %d, but in another encoding, such as windows-1252; "+
			"let dumpdata write it with -o FILE, or convert it: iconv -f WINDOWS-1252 -t UTF-8", o.n)
	}
	return o.buf, whole, nil
}

// literal reads the rest of a word.
func (o *objects) literal(rest string) error {
	for i := range len(rest) {
		switch b, err := o.byte(); {
		case err != nil:
			return o.broken(err)
		case b != rest[i]:
			return o.invalid()
		}
	}
	return nil
}

func (o *objects) byte() (byte, error) {
	b, err := o.in.ReadByte()
	if err == nil {
		o.at++
	}
	return b, err
}

// visible returns the next byte that is no white space.
func (o *objects) visible() (byte, error) {
	for {
		if b, err := o.byte(); err != nil || b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, err
		}
	}
}

func (o *objects) invalid() error {
	return fmt.Errorf("the fixture is no JSON at byte %d, object %d", o.at-1, o.n)
}

func (o *objects) broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the fixture breaks off in object %d", max(o.n, 1))
	}
	return fmt.Errorf("read object %d: %w", o.n, err)
}
