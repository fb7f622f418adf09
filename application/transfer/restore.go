package transfer

import (
	"context"
	"errors"
	"fmt"

	"roster/domain/archive"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Restoring reads an export.
type Restoring struct {
	from  outbound.ExportReader
	to    outbound.Archive
	lines outbound.Records
}

var _ inbound.Restoring = (*Restoring)(nil)

// NewRestoring returns the use case for a reader and an archive. Check does not write to the archive.
func NewRestoring(from outbound.ExportReader, to outbound.Archive, lines outbound.Records) *Restoring {
	return &Restoring{from, to, lines}
}

// errOrder reports an export with records out of order, which Exporting did not write.
var errOrder = errors.New("the records of the export are out of order")

// Check compares the records with the footer.
func (r *Restoring) Check(ctx context.Context, progress inbound.Progress) ([]archive.Contents, error) {
	in := r.newRun("checked", progress, func(collection, string, []record) error { return nil })
	return in.read(ctx, func(outbound.ExportHeader) error { return nil })
}

// Restore stores the records and compares the archive with the footer.
func (r *Restoring) Restore(ctx context.Context, resume bool, progress inbound.Progress) ([]archive.Contents, error) {
	in := r.newRun("imported", progress, func(c collection, after string, records []record) error {
		return c.merge(ctx, after, records)
	})
	want, err := in.read(ctx, func(h outbound.ExportHeader) error {
		return prepareTarget(ctx, r.to, in.collections, resume, h.LastUserID)
	})
	if err == nil {
		err = r.to.BuildIndexes(ctx)
	}
	if err != nil {
		return want, err
	}
	got, err := contentsOf(ctx, in.collections, "verified", progress)
	if err != nil {
		return nil, err
	}
	return got, archive.Compare(want, got)
}

// exportRun is the state of reading one export.
type exportRun struct {
	from        outbound.ExportReader
	collections []collection
	phase       string
	progress    inbound.Progress
	store       func(c collection, after string, records []record) error

	current   int // index in collections
	sums      []*archive.Sum
	pending   []record
	storing   func() error // waits for the store that runs; nil when none does
	storedKey string       // key of the last record that was given to store
	lastKey   string       // key of the last record read
}

func (r *Restoring) newRun(phase string, progress inbound.Progress, store func(collection, string, []record) error) *exportRun {
	in := &exportRun{from: r.from, collections: collectionsOf(r.to, r.lines), phase: phase, progress: progress, store: store}
	for _, c := range in.collections {
		in.sums = append(in.sums, archive.NewSum(c.name))
	}
	return in
}

// read reads the export in batches and compares it with its footer.
func (in *exportRun) read(ctx context.Context, begin func(outbound.ExportHeader) error) ([]archive.Contents, error) {
	footer, err := in.from.Read(ctx, begin, in.add)
	if err == nil {
		err = in.flush()
	}
	if stored := in.wait(); err == nil {
		err = stored
	}
	if err != nil {
		return nil, err
	}
	var got []archive.Contents
	for _, s := range in.sums {
		got = append(got, s.Contents())
	}
	if err := archive.Compare(footer.Contents, got); err != nil || len(footer.Contents) != len(got) {
		return got, fmt.Errorf("the export differs from its last line: %w", errors.Join(archive.ErrDifferent, err))
	}
	return got, nil
}

// add adds a record to pending, and flushes pending when it is full.
func (in *exportRun) add(value any) error {
	for ; in.current < len(in.collections); in.current++ {
		switch r, ok, err := in.collections[in.current].read(value); {
		case err != nil:
			return err
		case !ok:
			if err := errors.Join(in.flush(), in.wait()); err != nil {
				return err
			}
			in.storedKey, in.lastKey = "", ""
		case r.key <= in.lastKey:
			return errOrder
		default:
			in.sums[in.current].Add(r.line)
			in.lastKey = r.key
			if in.pending = append(in.pending, r); len(in.pending) == batch {
				return in.flush()
			}
			return nil
		}
	}
	return errOrder
}

// flush starts to store pending, after the records before it were stored, while the caller reads the next ones.
func (in *exportRun) flush() error {
	if err := in.wait(); err != nil || len(in.pending) == 0 {
		return err
	}
	c, after, records := in.collections[in.current], in.storedKey, in.pending
	count, done := in.sums[in.current].Count(), make(chan error, 1)
	go func() { done <- in.store(c, after, records) }()
	in.storing = func() error {
		err := <-done
		if err == nil {
			in.progress(in.phase+" "+c.name, count, 0)
		}
		return err
	}
	in.pending, in.storedKey = nil, in.lastKey
	return nil
}

// wait returns the result of the store that runs, if one does.
func (in *exportRun) wait() error {
	storing := in.storing
	if storing == nil {
		return nil
	}
	in.storing = nil
	return storing()
}
