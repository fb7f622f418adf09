package outbound

import (
	"context"
	"time"

	"roster/domain/archive"
)

// Records encodes records. A record is a user.Snapshot, session.Snapshot, lockout.Snapshot or audit.Event.
type Records interface {
	// Line returns the encoded record: one line with its line feed. Equal records have equal lines, and digests are
	// computed over them.
	Line(record any) ([]byte, error)
}

// ExportHeader is the first line of an export.
type ExportHeader struct {
	ExportedAt time.Time
	LastUserID int64 // see Archive.LastUserID
}

// ExportFooter is the last line of an export. An export without it is incomplete.
type ExportFooter struct{ Contents []archive.Contents }

// ExportWriter writes an export: the header, the lines of all records by collection in key order, and the footer.
type ExportWriter interface {
	Begin(h ExportHeader) error
	Write(line []byte) error // a result of Records.Line
	End(f ExportFooter) error
}

// ExportReader reads an export.
type ExportReader interface {
	// Read calls begin with the header and visit with each record, and returns the footer. It fails when the input
	// is no export, has a newer format than this program knows, or lacks its footer, and when begin or visit fails.
	Read(ctx context.Context, begin func(ExportHeader) error, visit func(record any) error) (ExportFooter, error)
}
