package application

import (
	"context"
	"fmt"

	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Copying takes everything from one archive to another, in order and in batches, and compares them
// afterwards.
type Copying struct {
	from, to outbound.Archive
	lines    outbound.Records
}

var _ inbound.Copying = (*Copying)(nil)

// NewCopying returns the use case between two archives.
func NewCopying(from, to outbound.Archive, lines outbound.Records) *Copying {
	return &Copying{from, to, lines}
}

// Copy implements inbound.Copying.
func (c *Copying) Copy(ctx context.Context, o inbound.CopyOptions, progress inbound.Progress) ([]inbound.Contents, error) {
	if !o.VerifyOnly {
		if err := c.copy(ctx, o, progress); err != nil {
			return nil, err
		}
	}
	want, err := contentsOf(ctx, c.from, c.lines, "read", progress)
	if err != nil {
		return nil, err
	}
	got, err := contentsOf(ctx, c.to, c.lines, "verified", progress)
	if err != nil {
		return nil, err
	}
	if err := compare(want, got); err != nil {
		return told(got), err
	}
	return told(got), c.sameCounter(ctx)
}

func (c *Copying) copy(ctx context.Context, o inbound.CopyOptions, progress inbound.Progress) error {
	if !o.Resume {
		if err := vacant(ctx, c.to); err != nil {
			return err
		}
	}
	last, err := c.from.LastUserID(ctx)
	if err != nil {
		return err
	}
	if err := carry(ctx, c.to, last); err != nil {
		return err
	}
	for _, kind := range everything {
		after, done := "", int64(0)
		err := kind.each(ctx, c.from, func(records []any) error {
			if err := kind.merge(ctx, c.to, records, after, c.lines); err != nil {
				return err
			}
			after = kind.key(c.from, records[len(records)-1])
			done += int64(len(records))
			progress("copied "+kind.collection(), done, 0)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Copying) sameCounter(ctx context.Context) error {
	want, err := c.from.LastUserID(ctx)
	if err != nil {
		return err
	}
	got, err := c.to.LastUserID(ctx)
	if err == nil && got != want {
		err = fmt.Errorf("%w: the last counted id is %d in the source, %d in the target", inbound.ErrDifferent, want, got)
	}
	return err
}
