package transfer

import (
	"context"
	"errors"
	"fmt"

	"roster/domain/archive"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Restoring reads an export back.
type Restoring struct {
	from  outbound.ExportReader
	to    outbound.Archive
	lines outbound.Records
}

var _ inbound.Restoring = (*Restoring)(nil)

// NewRestoring returns the use case from a reader to an archive. Check stores nothing in the archive.
func NewRestoring(from outbound.ExportReader, to outbound.Archive, lines outbound.Records) *Restoring {
	return &Restoring{from, to, lines}
}

// errOrder reports an export that Exporting did not write.
var errOrder = errors.New("the records of the export are not in their order")

// Check implements inbound.Restoring.
func (r *Restoring) Check(ctx context.Context, progress inbound.Progress) ([]archive.Contents, error) {
	in := r.restore("checked", progress, func(collection, string, []record) error { return nil })
	return in.read(ctx, func(outbound.ExportHeader) error { return nil })
}

// Restore implements inbound.Restoring.
func (r *Restoring) Restore(ctx context.Context, resume bool, progress inbound.Progress) ([]archive.Contents, error) {
	in := r.restore("imported", progress, func(c collection, after string, records []record) error {
		return c.merge(ctx, after, records)
	})
	want, err := in.read(ctx, func(h outbound.ExportHeader) error { return prepare(ctx, r.to, in.all, resume, h.LastUserID) })
	if err != nil {
		return want, err
	}
	got, err := contentsOf(ctx, in.all, "verified", progress)
	if err != nil {
		return nil, err
	}
	return got, archive.Compare(want, got)
}

// restore is the state of one reading of an export.
type restore struct {
	from     outbound.ExportReader
	all      []collection
	what     string
	progress inbound.Progress
	store    func(c collection, after string, records []record) error

	at      int // index in all
	sums    []*archive.Sum
	waiting []record
	stored  string // key of the last record that was stored
	last    string // key of the last record
}

func (r *Restoring) restore(what string, progress inbound.Progress, store func(collection, string, []record) error) *restore {
	in := &restore{from: r.from, all: collectionsOf(r.to, r.lines), what: what, progress: progress, store: store}
	for _, c := range in.all {
		in.sums = append(in.sums, archive.NewSum(c.name))
	}
	return in
}

// read reads the export in batches and compares it with its footer.
func (in *restore) read(ctx context.Context, begin func(outbound.ExportHeader) error) ([]archive.Contents, error) {
	footer, err := in.from.Read(ctx, begin, in.take)
	if err == nil {
		err = in.flush()
	}
	if err != nil {
		return nil, err
	}
	var got []archive.Contents
	for _, s := range in.sums {
		got = append(got, s.Contents())
	}
	if err := archive.Compare(footer.Contents, got); err != nil || len(footer.Contents) != len(got) {
		return got, fmt.Errorf("the export is not what its last line says: %w", errors.Join(archive.ErrDifferent, err))
	}
	return got, nil
}

func (in *restore) take(value any) error {
	for ; in.at < len(in.all); in.at++ {
		switch r, ok, err := in.all[in.at].read(value); {
		case err != nil:
			return err
		case !ok:
			if err := in.flush(); err != nil {
				return err
			}
			in.stored, in.last = "", ""
		case r.key <= in.last:
			return errOrder
		default:
			in.sums[in.at].Add(r.line)
			in.last = r.key
			if in.waiting = append(in.waiting, r); len(in.waiting) == batch {
				return in.flush()
			}
			return nil
		}
	}
	return errOrder
}

func (in *restore) flush() error {
	if len(in.waiting) == 0 {
		return nil
	}
	c := in.all[in.at]
	if err := in.store(c, in.stored, in.waiting); err != nil {
		return err
	}
	in.waiting, in.stored = nil, in.last
	in.progress(in.what+" "+c.name, in.sums[in.at].Count(), 0)
	return nil
}
