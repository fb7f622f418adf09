package outbound

import (
	"context"
	"time"
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

// ExportFooter is what an export ends with. Without it, it is not whole.
type ExportFooter struct{ Contents []Contents }

// Contents is the sum of one collection: how many records, and the SHA-256 of their lines in the
// order of their keys, in hexadecimal digits.
type Contents struct {
	Collection string
	Count      int64
	Digest     string
}

// ExportWriter takes an export down: the header, all records collection by collection in the order of
// their keys, the footer.
type ExportWriter interface {
	Begin(h ExportHeader) error
	Write(record any) error
	End(f ExportFooter) error
}

// ExportReader reads what an ExportWriter took down.
type ExportReader interface {
	// Read calls begin with the header, visit with each record, and returns the footer. It fails when
	// what it reads is no export, is newer than this program, or ends before its footer.
	Read(ctx context.Context, begin func(ExportHeader) error, visit func(record any) error) (ExportFooter, error)
}
