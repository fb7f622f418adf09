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
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// version is that of the format. It grows with each change that an older program could not read.
const version = 2

var errKind = errors.New("there is no such kind of line")

type headerLine struct {
	Kind       string  `json:"kind"`
	Version    int     `json:"version"`
	ExportedAt instant `json:"exported_at"`
	LastUserID int64   `json:"last_user_id"`
}

type contentsLine struct {
	Collection string `json:"collection"`
	Count      int64  `json:"count"`
	Digest     string `json:"sha256"`
}

type footerLine struct {
	Kind     string         `json:"kind"`
	Contents []contentsLine `json:"contents"`
}

// Writer implements outbound.ExportWriter.
type Writer struct{ out *bufio.Writer }

var _ outbound.ExportWriter = (*Writer)(nil)

// NewWriter returns a Writer to w, which has got everything once End has returned.
func NewWriter(w io.Writer) *Writer { return &Writer{bufio.NewWriterSize(w, 1<<16)} }

// Begin implements outbound.ExportWriter.
func (w *Writer) Begin(h outbound.ExportHeader) error {
	return w.line(headerLine{kindHeader, version, instant(h.ExportedAt), h.LastUserID})
}

// Write implements outbound.ExportWriter.
func (w *Writer) Write(line []byte) error {
	_, err := w.out.Write(line)
	return err
}

// End implements outbound.ExportWriter.
func (w *Writer) End(f outbound.ExportFooter) error {
	last := footerLine{Kind: kindFooter}
	for _, c := range f.Contents {
		last.Contents = append(last.Contents, contentsLine(c))
	}
	return errors.Join(w.line(last), w.out.Flush())
}

func (w *Writer) line(v any) error {
	text, err := line(v)
	if err != nil {
		return err
	}
	_, err = w.out.Write(text)
	return err
}

// Reader implements outbound.ExportReader.
type Reader struct{ in *bufio.Reader }

var _ outbound.ExportReader = (*Reader)(nil)

// maxLine is more than the longest line that there can be: texts of the database have their limits.
const maxLine = 1 << 20

// gzipped is how a file begins that gzip packed (RFC 1952, 2.3.1).
const gzipped = "\x1f\x8b"

// NewReader returns a Reader of r, which may be packed by gzip.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, maxLine)} }

// Read implements outbound.ExportReader.
func (r *Reader) Read(ctx context.Context, begin func(outbound.ExportHeader) error, visit func(record any) error) (outbound.ExportFooter, error) {
	var footer outbound.ExportFooter
	var h headerLine
	if head, _ := r.in.Peek(len(gzipped)); string(head) == gzipped {
		z, err := gzip.NewReader(r.in)
		if err != nil {
			return footer, fmt.Errorf("unpack the export: %w", err)
		}
		r.in = bufio.NewReaderSize(z, maxLine)
	}
	text, err := r.next()
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return footer, err
	}
	if err != nil || json.Unmarshal(text, &h) != nil || h.Kind != kindHeader {
		return footer, errors.New("this is no export of Roster")
	}
	switch {
	case h.Version > version:
		return footer, fmt.Errorf("the export is of version %d of the format; this program knows %d: use a newer one", h.Version, version)
	case h.Version < version:
		return footer, fmt.Errorf("the export is of version %d of the format; this program knows %d: restore it with the program that wrote it, and open that database with this one", h.Version, version)
	}
	if err := begin(outbound.ExportHeader{ExportedAt: time.Time(h.ExportedAt), LastUserID: h.LastUserID}); err != nil {
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
		kind, err := kindOf(text)
		if err != nil {
			return footer, fmt.Errorf("line %d: %w", n, err)
		}
		if kind == kindFooter {
			return r.footer(n, text)
		}
		rec, err := record(kind, text)
		if err == nil {
			err = whole(rec)
		}
		if err != nil {
			return footer, fmt.Errorf("line %d is no %s of this program's", n, kind) // the cause could tell a hash
		}
		if err := visit(rec); err != nil {
			return footer, err
		}
	}
}

func (r *Reader) footer(n int, text []byte) (outbound.ExportFooter, error) {
	var f outbound.ExportFooter
	var l footerLine
	if err := parse(text, &l); err != nil {
		return f, fmt.Errorf("line %d: %w", n, err)
	}
	if _, err := r.next(); !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("the export goes on after its last line, %d", n)
	}
	for _, c := range l.Contents {
		f.Contents = append(f.Contents, archive.Contents(c))
	}
	return f, nil
}

// next returns the next line, whole; io.EOF when there is none.
func (r *Reader) next() ([]byte, error) {
	text, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, errors.New("too long")
	}
	return text, err
}

func kindOf(text []byte) (string, error) {
	var l struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return "", errors.New("no JSON object")
	}
	switch l.Kind {
	case kindUser, kindSession, kindAttempt, kindEvent, kindFooter:
		return l.Kind, nil
	}
	return "", errKind
}

// whole fails on a record that the domain could not have made: storage would only tell later.
func whole(record any) (err error) {
	switch r := record.(type) {
	case user.Snapshot:
		if id, bad := user.ParseID(string(r.ID)); bad != nil || id != r.ID {
			return user.ErrBadState
		}
		_, err = user.Restore(r)
	case session.Snapshot:
		_, err = session.Restore(r)
	case lockout.Snapshot:
		_, err = lockout.Restore(r)
	case interface{ Check() error }:
		err = r.Check()
	}
	return err
}
