package outbound

import (
	"context"
	"time"

	"roster/domain/archive"
)

// Records spells records out. A record is a user.Snapshot, a session.Snapshot, a lockout.Snapshot or an
// audit.Event.
type Records interface {
	// Line returns the one spelling of a record, a line with its line feed. Digests are over it.
	Line(record any) ([]byte, error)
}

// ExportHeader is what an export begins with.
type ExportHeader struct {
	ExportedAt time.Time
	LastUserID int64 // see Archive
}

// ExportFooter is what an export ends with. An export without it is incomplete.
type ExportFooter struct{ Contents []archive.Contents }

// ExportWriter writes an export: the header, the line of every record, collection by collection in the order of their
// keys, and the footer.
type ExportWriter interface {
	Begin(h ExportHeader) error
	Write(line []byte) error // a line that Records returned
	End(f ExportFooter) error
}

// ExportReader reads what an ExportWriter took down.
type ExportReader interface {
	// Read calls begin with the header, visit with each record, and returns the footer. It fails when
	// what it reads is no export, is newer than this program, or ends before its footer.
	Read(ctx context.Context, begin func(ExportHeader) error, visit func(record any) error) (ExportFooter, error)
}
