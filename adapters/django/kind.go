package django

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// ahead is how much of a file is looked at to know what it is.
const ahead = 1 << 16

// text returns what a file says: unpacked, and without a byte order mark. It fails when the file is
// something else than JSON, and says what.
func text(file io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(file, ahead)
	if head, _ := in.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack the fixture: %w", err)
		}
		in = bufio.NewReaderSize(z, ahead)
	}
	head, err := in.Peek(ahead)
	if len(head) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read the fixture: %w", err)
		}
		return nil, errors.New("the fixture is empty")
	}
	if what := otherKind(head); what != "" {
		return nil, errors.New("this is no fixture in JSON, but " + what)
	}
	if bytes.HasPrefix(head, []byte(byteOrderMark)) {
		_, _ = in.Discard(len(byteOrderMark))
	}
	return in, nil
}

const byteOrderMark = "\xef\xbb\xbf"

// What to do with a file of another kind.
const (
	unpack  = "; unpack it first"
	restore = "; give the database itself, or restore the dump into one"
	rewrite = "; let manage.py dumpdata write JSON, with -o FILE"
)

// magics are how binary files begin.
var magics = []struct{ begins, what string }{
	{"PK\x03\x04", "a zip archive" + unpack},
	{"PK\x05\x06", "an empty zip archive"},
	{"\xfd7zXZ\x00", "packed by xz" + unpack},
	{"BZh", "packed by bzip2" + unpack},
	{"\x28\xb5\x2f\xfd", "packed by zstd" + unpack},
	{"\x5d\x00\x00", "packed by lzma" + unpack},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive" + unpack},
	{"\x1f\x8b", "packed by gzip twice" + unpack},
	{sqliteMagic, "an SQLite database" + unpack}, // only here when it is packed
	{"PGDMP", "a dump by pg_dump in its own format" + restore},
	{"\xff\xfe\x00\x00", "in UTF-32" + rewrite},
	{"\x00\x00\xfe\xff", "in UTF-32" + rewrite},
	{"\xff\xfe", utf16},
	{"\xfe\xff", utf16},
	{"[\x00", utf16},
	{"{\x00", utf16},
	{"\x00[", utf16},
	{"\x00{", utf16},
}

const utf16 = "in UTF-16, as PowerShell writes what is redirected" + rewrite

// texts are how text files of other kinds begin, after white space.
var texts = []struct {
	begins *regexp.Regexp
	what   string
}{
	{regexp.MustCompile(`^<`), "XML or HTML" + rewrite},
	{regexp.MustCompile(`^(%YAML|---\s|- +["']?(model|fields|pk)["']? *:|- *\{)`), "YAML" + rewrite},
	{regexp.MustCompile(`(?i)^(--|/\*|\\|(BEGIN|CREATE|INSERT|DROP|COPY|SET|PRAGMA|ALTER|LOCK|USE|START|SELECT|DELETE)[\s;])`), "a dump in SQL" + restore},
	{regexp.MustCompile(`^[^\r\n]*[,;\t]`), "CSV, or other text" + rewrite},
	{regexp.MustCompile(`^[^[{]`), "something else" + rewrite},
}

// tarMagic stands at tarAt in the first block of a tar archive.
const (
	tarMagic = "ustar"
	tarAt    = 257
)

// otherKind says what a file that begins with head is, "" when it may be a fixture.
func otherKind(head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.begins)) {
			return m.what
		}
	}
	if len(head) > tarAt && bytes.HasPrefix(head[tarAt:], []byte(tarMagic)) {
		return "a tar archive" + unpack
	}
	body := bytes.TrimLeft(bytes.TrimPrefix(head, []byte(byteOrderMark)), " \t\r\n")
	if len(body) > 0 && (body[0] == '[' || body[0] == '{') {
		return ""
	}
	for _, t := range texts {
		if t.begins.Match(body) {
			return t.what
		}
	}
	return "" // white space alone: no object, and so no model
}
