package transfer

import (
	"context"

	"roster/application"
	"roster/domain/archive"
	"roster/domain/audit"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Exporting writes all records of an archive.
type Exporting struct {
	from  outbound.Archive
	to    outbound.ExportWriter
	lines outbound.Records
	clock outbound.Clock
	application.Recorder
}

var _ inbound.Exporting = (*Exporting)(nil)

// NewExporting returns the use case for an archive and a writer.
func NewExporting(from outbound.Archive, to outbound.ExportWriter, lines outbound.Records, p application.Ports) *Exporting {
	return &Exporting{from, to, lines, p.Clock, application.NewRecorder(p)}
}

// Export records the export before it starts, since an interrupted one has written
// records too.
func (e *Exporting) Export(ctx context.Context, progress inbound.Progress) ([]archive.Contents, error) {
	e.Record(ctx, audit.Event{Kind: audit.Exported})
	last, err := e.from.LastUserID(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.to.Begin(outbound.ExportHeader{ExportedAt: e.clock.Now(), LastUserID: last}); err != nil {
		return nil, err
	}
	var footer outbound.ExportFooter
	for _, c := range collectionsOf(e.from, e.lines) {
		sum, err := c.each(ctx, "exported", progress, func(_ string, page []record) error {
			for _, r := range page {
				if err := e.to.Write(r.line); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		footer.Contents = append(footer.Contents, sum)
	}
	return footer.Contents, e.to.End(footer)
}
