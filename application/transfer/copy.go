package transfer

import (
	"context"
	"fmt"

	"roster/domain/archive"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Copying copies all records from one archive to another and compares both afterwards.
type Copying struct {
	from, to outbound.Archive
	lines    outbound.Records
}

var _ inbound.Copying = (*Copying)(nil)

// NewCopying returns the use case for two archives.
func NewCopying(from, to outbound.Archive, lines outbound.Records) *Copying {
	return &Copying{from, to, lines}
}

// Copy sums up the source after the copy, which detects changes of the source during
// the copy.
func (c *Copying) Copy(ctx context.Context, o inbound.CopyOptions, progress inbound.Progress) ([]archive.Contents, error) {
	source, target := collectionsOf(c.from, c.lines), collectionsOf(c.to, c.lines)
	last, err := c.from.LastUserID(ctx)
	if err == nil && !o.VerifyOnly {
		err = c.copyAll(ctx, source, target, o.Resume, last, progress)
	}
	if err != nil {
		return nil, err
	}
	want, err := contentsOf(ctx, source, "read", progress)
	if err != nil {
		return nil, err
	}
	got, err := contentsOf(ctx, target, "verified", progress)
	if err != nil {
		return nil, err
	}
	if err := archive.Compare(want, got); err != nil {
		return got, err
	}
	return got, c.compareLastID(ctx)
}

func (c *Copying) copyAll(ctx context.Context, source, target []collection, resume bool, last int64, progress inbound.Progress) error {
	if err := prepareTarget(ctx, c.to, target, resume, last); err != nil {
		return err
	}
	for i, from := range source {
		_, err := from.each(ctx, "copied", progress, func(after string, page []record) error { return target[i].merge(ctx, after, page) })
		if err != nil {
			return err
		}
	}
	return c.to.BuildIndexes(ctx)
}

func (c *Copying) compareLastID(ctx context.Context) error {
	want, err := c.from.LastUserID(ctx)
	if err != nil {
		return err
	}
	got, err := c.to.LastUserID(ctx)
	if err == nil && got != want {
		err = fmt.Errorf("%w: the last counted id is %d in the source, %d in the target", archive.ErrDifferent, want, got)
	}
	return err
}
