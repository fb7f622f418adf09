package application

import (
	"context"
	"errors"
	"fmt"

	"roster/domain/audit"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Exporting writes everything down.
type Exporting struct {
	from  outbound.Archive
	to    outbound.ExportWriter
	lines outbound.Records
	clock outbound.Clock
	recorder
}

var _ inbound.Exporting = (*Exporting)(nil)

// NewExporting returns the use case from an archive to a writer.
func NewExporting(from outbound.Archive, to outbound.ExportWriter, lines outbound.Records, p Ports) *Exporting {
	return &Exporting{from, to, lines, p.Clock, newRecorder(p)}
}

// Export implements inbound.Exporting. That everything was exported is noted before: who has got half
// of it has got much.
func (e *Exporting) Export(ctx context.Context, progress inbound.Progress) ([]inbound.Contents, error) {
	e.record(ctx, audit.Event{Kind: audit.Exported})
	last, err := e.from.LastUserID(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.to.Begin(outbound.ExportHeader{ExportedAt: e.clock.Now(), LastUserID: last}); err != nil {
		return nil, err
	}
	var footer outbound.ExportFooter
	for _, c := range everything {
		sum := newSumming(c.collection())
		err := c.each(ctx, e.from, func(records []any) error {
			for _, r := range records {
				line, err := e.lines.Line(r)
				if err != nil {
					return err
				}
				sum.add(line)
				if err := e.to.Write(r); err != nil {
					return err
				}
			}
			progress("exported "+c.collection(), sum.count, 0)
			return nil
		})
		if err != nil {
			return nil, err
		}
		footer.Contents = append(footer.Contents, sum.contents())
	}
	return told(footer.Contents), e.to.End(footer)
}

// Restoring reads an export back.
type Restoring struct {
	from  outbound.ExportReader
	to    outbound.Archive
	lines outbound.Records
}

var _ inbound.Restoring = (*Restoring)(nil)

// NewRestoring returns the use case from a reader to an archive.
func NewRestoring(from outbound.ExportReader, to outbound.Archive, lines outbound.Records) *Restoring {
	return &Restoring{from, to, lines}
}

// errOrder says that somebody put an export together by hand.
var errOrder = errors.New("the records of the export are not in their order")

// Check implements inbound.Restoring.
func (r *Restoring) Check(ctx context.Context, progress inbound.Progress) ([]inbound.Contents, error) {
	return r.read(ctx, "checked", progress, func(outbound.ExportHeader) error { return nil }, nil)
}

// Restore implements inbound.Restoring.
func (r *Restoring) Restore(ctx context.Context, resume bool, progress inbound.Progress) ([]inbound.Contents, error) {
	if !resume {
		if err := vacant(ctx, r.to); err != nil {
			return nil, err
		}
	}
	want, err := r.read(ctx, "imported", progress,
		func(h outbound.ExportHeader) error { return carry(ctx, r.to, h.LastUserID) },
		func(c moved, records []any, after string) error { return c.merge(ctx, r.to, records, after, r.lines) })
	if err != nil {
		return want, err
	}
	got, err := contentsOf(ctx, r.to, r.lines, "verified", progress)
	if err != nil {
		return nil, err
	}
	expected := make([]outbound.Contents, len(want))
	for i, c := range want {
		expected[i] = outbound.Contents(c)
	}
	return told(got), compare(expected, got)
}

// reading is the state of one reading of an export.
type reading struct {
	r        *Restoring
	what     string
	progress inbound.Progress
	store    func(c moved, records []any, after string) error // nil for none

	at      int // index in everything
	sums    []*summing
	waiting []any
	stored  string // key of the last record that was handed on
	last    string // key of the last record
}

// read reads the export in batches and compares it with its footer.
func (r *Restoring) read(ctx context.Context, what string, progress inbound.Progress, begin func(outbound.ExportHeader) error, store func(moved, []any, string) error) ([]inbound.Contents, error) {
	in := &reading{r: r, what: what, progress: progress, store: store}
	for _, c := range everything {
		in.sums = append(in.sums, newSumming(c.collection()))
	}
	footer, err := r.from.Read(ctx, begin, in.take)
	if err == nil {
		err = in.flush()
	}
	if err != nil {
		return nil, err
	}
	var got []outbound.Contents
	for _, s := range in.sums {
		got = append(got, s.contents())
	}
	if err := compare(footer.Contents, got); err != nil || len(footer.Contents) != len(got) {
		return told(got), fmt.Errorf("the export is not what its last line says: %w", errors.Join(inbound.ErrDifferent, err))
	}
	return told(got), nil
}

func (in *reading) take(record any) error {
	for in.at < len(everything) && !everything[in.at].owns(record) {
		if err := in.flush(); err != nil {
			return err
		}
		in.at++
		in.stored, in.last = "", ""
	}
	if in.at == len(everything) {
		return errOrder
	}
	line, err := in.r.lines.Line(record)
	if err != nil {
		return err
	}
	in.sums[in.at].add(line)
	if in.store == nil {
		in.note()
		return nil
	}
	key := everything[in.at].key(in.r.to, record)
	if key <= in.last {
		return errOrder
	}
	in.last = key
	if in.waiting = append(in.waiting, record); len(in.waiting) == batch {
		return in.flush()
	}
	return nil
}

func (in *reading) note() {
	s := in.sums[in.at]
	in.progress(in.what+" "+s.name, s.count, 0)
}

func (in *reading) flush() error {
	if len(in.waiting) == 0 {
		return nil
	}
	if err := in.store(everything[in.at], in.waiting, in.stored); err != nil {
		return err
	}
	in.waiting, in.stored = nil, in.last
	in.note()
	return nil
}
