package application

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// moved is one collection of an archive, whatever its records are.
type moved interface {
	collection() string
	// each calls visit with stretches of all records in order.
	each(ctx context.Context, a outbound.Archive, visit func(records []any) error) error
	// merge stores the records, in order and without a gap from the one after the key after on, that
	// the archive lacks. Those that it has must be the same, or it fails with inbound.ErrDifferent.
	merge(ctx context.Context, a outbound.Archive, records []any, after string, r outbound.Records) error
	key(a outbound.Archive, record any) string
	owns(record any) bool
	empty(ctx context.Context, a outbound.Archive) (bool, error)
}

// everything is all collections. Users come first: who has a session without a user is nobody.
var everything = []moved{
	of[user.Snapshot]{"users", outbound.Archive.Users},
	of[session.Snapshot]{"sessions", outbound.Archive.Sessions},
	of[lockout.Snapshot]{"attempts", outbound.Archive.Attempts},
	of[audit.Event]{"events", outbound.Archive.Events},
}

// of is a collection of records of type T.
type of[T any] struct {
	name string
	from func(outbound.Archive) outbound.Collection[T]
}

func (c of[T]) collection() string { return c.name }

func (c of[T]) owns(record any) bool {
	_, ok := record.(T)
	return ok
}

func (c of[T]) key(a outbound.Archive, record any) string {
	r, _ := record.(T)
	return c.from(a).Key(r)
}

func (c of[T]) empty(ctx context.Context, a outbound.Archive) (bool, error) {
	page, err := c.from(a).Page(ctx, "", 1)
	return len(page) == 0, err
}

func (c of[T]) each(ctx context.Context, a outbound.Archive, visit func([]any) error) error {
	all, after := c.from(a), ""
	for {
		page, err := all.Page(ctx, after, batch)
		if err != nil || len(page) == 0 {
			return err
		}
		records := make([]any, len(page))
		for i, r := range page {
			records[i] = r
		}
		if err := visit(records); err != nil {
			return err
		}
		after = all.Key(page[len(page)-1])
	}
}

func (c of[T]) merge(ctx context.Context, a outbound.Archive, records []any, after string, lines outbound.Records) error {
	all := c.from(a)
	there, err := all.Page(ctx, after, len(records))
	if err != nil {
		return err
	}
	known := make(map[string]T, len(there))
	for _, r := range there {
		known[all.Key(r)] = r
	}
	var missing []T
	for _, record := range records {
		r, _ := record.(T)
		old, has := known[all.Key(r)]
		if !has {
			missing = append(missing, r)
			continue
		}
		if err := c.same(all.Key(r), old, r, lines); err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	refused, err := all.Put(ctx, missing)
	if err != nil {
		return err
	}
	for i, err := range refused {
		if err != nil {
			return fmt.Errorf("%s %s: %w: %w", c.name, all.Key(missing[i]), inbound.ErrDifferent, err)
		}
	}
	return nil
}

func (c of[T]) same(key string, a, b T, lines outbound.Records) error {
	one, err := lines.Line(a)
	if err != nil {
		return err
	}
	other, err := lines.Line(b)
	if err == nil && string(one) != string(other) {
		err = fmt.Errorf("%s %s: %w", c.name, key, inbound.ErrDifferent)
	}
	return err
}

// summing adds up what a collection holds.
type summing struct {
	name  string
	count int64
	hash  interface {
		Write(p []byte) (int, error)
		Sum(b []byte) []byte
	}
}

func newSumming(name string) *summing { return &summing{name: name, hash: sha256.New()} }

func (s *summing) add(line []byte) {
	s.count++
	_, _ = s.hash.Write(line) // never fails
}

func (s *summing) contents() outbound.Contents {
	return outbound.Contents{Collection: s.name, Count: s.count, Digest: hex.EncodeToString(s.hash.Sum(nil))}
}

// contentsOf reads an archive to its end and sums each collection up.
func contentsOf(ctx context.Context, a outbound.Archive, lines outbound.Records, what string, progress inbound.Progress) ([]outbound.Contents, error) {
	var out []outbound.Contents
	for _, c := range everything {
		sum := newSumming(c.collection())
		err := c.each(ctx, a, func(records []any) error {
			for _, r := range records {
				line, err := lines.Line(r)
				if err != nil {
					return err
				}
				sum.add(line)
			}
			progress(what+" "+c.collection(), sum.count, 0)
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, sum.contents())
	}
	return out, nil
}

// compare fails with inbound.ErrDifferent and names each collection that is not the same.
func compare(want, got []outbound.Contents) error {
	var faults []error
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			n := int64(0)
			if i < len(got) {
				n = got[i].Count
			}
			faults = append(faults, fmt.Errorf("%w: %s: %d in the source, %d in the target", inbound.ErrDifferent, w.Collection, w.Count, n))
		}
	}
	return errors.Join(faults...)
}

func told(contents []outbound.Contents) []inbound.Contents {
	out := make([]inbound.Contents, len(contents))
	for i, c := range contents {
		out[i] = inbound.Contents(c)
	}
	return out
}

// vacant fails with inbound.ErrNotEmpty when an archive holds anything.
func vacant(ctx context.Context, a outbound.Archive) error {
	for _, c := range everything {
		empty, err := c.empty(ctx, a)
		if err == nil && !empty {
			err = fmt.Errorf("%w: %s", inbound.ErrNotEmpty, c.collection())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// carry makes counting in an archive go on where it was.
func carry(ctx context.Context, a outbound.Archive, last int64) error {
	if last == 0 {
		return nil
	}
	return a.SkipUserIDs(ctx, last)
}
