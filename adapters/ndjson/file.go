package ndjson

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/go-json-experiment/json"

	"roster/domain/archive"
	"roster/ports/outbound"
)

// version is the version of the format. A change that older programs cannot read increments it.
const version = 3

type headerMembers struct {
	Version    int       `json:"version"`
	ExportedAt time.Time `json:"exported_at"`
	LastUserID int64     `json:"last_user_id"`
}

type footerMembers struct {
	Contents []contents `json:"contents"`
}

type contents struct {
	Collection string `json:"collection"`
	Count      int64  `json:"count"`
	Digest     string `json:"sha256"`
}

// Writer implements outbound.ExportWriter.
type Writer struct{ out *bufio.Writer }

var _ outbound.ExportWriter = (*Writer)(nil)

// NewWriter returns a Writer to w. Everything is written when End returns.
func NewWriter(w io.Writer) *Writer { return &Writer{bufio.NewWriterSize(w, 1<<16)} }

// Begin writes the header.
func (w *Writer) Begin(h outbound.ExportHeader) error {
	text, err := encode(kindHeader, headerMembers{version, h.ExportedAt, h.LastUserID})
	return errors.Join(err, w.Write(text))
}

// Write writes the line of a record.
func (w *Writer) Write(line []byte) error {
	_, err := w.out.Write(line)
	return err
}

// End writes the footer.
func (w *Writer) End(f outbound.ExportFooter) error {
	var m footerMembers
	for _, c := range f.Contents {
		m.Contents = append(m.Contents, contents(c))
	}
	text, err := encode(kindFooter, m)
	return errors.Join(err, w.Write(text), w.out.Flush())
}

// Reader implements outbound.ExportReader.
type Reader struct{ in *bufio.Reader }

var _ outbound.ExportReader = (*Reader)(nil)

// maxLine is the maximum length of a line in bytes, far above what the limits of stored texts allow.
const maxLine = 1 << 20

// gzipMagic is the beginning of a gzip file (RFC 1952, 2.3.1).
const gzipMagic = "\x1f\x8b"

// NewReader returns a Reader of r, which may be compressed by gzip.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, maxLine)} }

// Read reads the export once; see outbound.ExportReader.
func (r *Reader) Read(
	ctx context.Context, begin func(outbound.ExportHeader) error, visit func(record any) error,
) (footer outbound.ExportFooter, err error) {
	header, err := r.header()
	if err == nil {
		err = begin(header)
	}
	if err != nil {
		return footer, err
	}
	for n := 2; ; n++ {
		if err := ctx.Err(); err != nil {
			return footer, err
		}
		text, err := r.next()
		if errors.Is(err, io.EOF) {
			return footer, fmt.Errorf("the export breaks off after line %d: its last line is missing", n-1)
		}
		if err != nil {
			return footer, fmt.Errorf("line %d: %w", n, err)
		}
		var rec any
		switch kind := kindOf(text); kind {
		case kindFooter:
			return r.footer(n, text)
		case kindUser, kindSession, kindAttempt, kindEvent, kindMail:
			rec, err = record(kind, text)
			if err != nil || check(rec) != nil {
				return footer, fmt.Errorf("line %d is not a valid %s", n, kind) // the cause could contain a hash
			}
		default:
			return footer, fmt.Errorf("line %d is not a record of an export", n)
		}
		if err := visit(rec); err != nil {
			return footer, err
		}
	}
}

func (r *Reader) header() (h outbound.ExportHeader, err error) {
	if head, _ := r.in.Peek(len(gzipMagic)); string(head) == gzipMagic {
		z, err := gzip.NewReader(r.in)
		if err != nil {
			return h, fmt.Errorf("decompress the export: %w", err)
		}
		r.in = bufio.NewReaderSize(z, maxLine)
	}
	text, err := r.next()
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return h, err
	}
	var l line[headerMembers]
	if err != nil || json.Unmarshal(text, &l) != nil || l.Kind != kindHeader {
		return h, errors.New("this is not an export of Roster")
	}
	if v := l.Members.Version; v != version {
		remedy := "use a newer one"
		if v < version {
			remedy = "restore it with the program that wrote it, and open that database with this one"
		}
		return h, fmt.Errorf("the export has version %d of the format; this program reads version %d: %s", v, version, remedy)
	}
	return outbound.ExportHeader{ExportedAt: l.Members.ExportedAt, LastUserID: l.Members.LastUserID}, nil
}

func (r *Reader) footer(n int, text []byte) (f outbound.ExportFooter, err error) {
	m, err := decode[footerMembers](text)
	if err != nil {
		return f, fmt.Errorf("line %d: %w", n, err)
	}
	if _, err := r.next(); !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("the export goes on after its last line, %d", n)
	}
	for _, c := range m.Contents {
		f.Contents = append(f.Contents, archive.Contents(c))
	}
	return f, nil
}

// next returns the next line, or io.EOF also for a line without a line feed.
func (r *Reader) next() ([]byte, error) {
	text, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, errors.New("too long")
	}
	return text, err
}

// kindOf returns the kind of a line, or "" when it is not a JSON object.
func kindOf(text []byte) string {
	var l struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(text, &l) != nil {
		return ""
	}
	return l.Kind
}
