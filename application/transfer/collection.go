package transfer

import (
	"bytes"
	"context"
	"fmt"

	"roster/domain/archive"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// record is a record of any collection. Records are compared and summed by their lines.
type record struct {
	key   string
	line  []byte
	value any // a snapshot or an event
}

// collection is one collection of an archive, without the type of its records.
type collection struct {
	name string
	// read encodes a value. It returns false when value belongs to another collection.
	read func(value any) (record, bool, error)
	// page returns up to limit records in key order, from the first one after a key.
	page func(ctx context.Context, after string, limit int) ([]record, error)
	put  func(ctx context.Context, records []record) (refused []error, err error)
}

// collectionsOf returns all collections of a. Users come first, since a session without its user is invalid.
func collectionsOf(a outbound.Archive, lines outbound.Records) []collection {
	return []collection{
		newCollection("users", a.Users(), lines),
		newCollection("sessions", a.Sessions(), lines),
		newCollection("attempts", a.Attempts(), lines),
		newCollection("events", a.Events(), lines),
		newCollection("mails", a.Mails(), lines),
	}
}

func newCollection[T any](name string, stored outbound.Collection[T], lines outbound.Records) collection {
	read := func(value T) (record, error) {
		line, err := lines.Line(value)
		return record{stored.Key(value), line, value}, err
	}
	return collection{
		name: name,
		read: func(value any) (record, bool, error) {
			v, ok := value.(T)
			if !ok {
				return record{}, false, nil
			}
			r, err := read(v)
			return r, true, err
		},
		page: func(ctx context.Context, after string, limit int) ([]record, error) {
			page, err := stored.Page(ctx, after, limit)
			if err != nil {
				return nil, err
			}
			records := make([]record, len(page))
			for i, v := range page {
				if records[i], err = read(v); err != nil {
					return nil, err
				}
			}
			return records, nil
		},
		put: func(ctx context.Context, records []record) ([]error, error) {
			values := make([]T, len(records))
			for i, r := range records {
				values[i], _ = r.value.(T)
			}
			return stored.Put(ctx, values)
		},
	}
}

// visitor is called with a page of records; after is the key before the page.
type visitor func(after string, page []record) error

// each calls visit with all records in order, page by page, and returns their contents.
func (c collection) each(ctx context.Context, phase string, progress inbound.Progress, visit visitor) (archive.Contents, error) {
	sum, after := archive.NewSum(c.name), ""
	for {
		page, err := c.page(ctx, after, batch)
		if err != nil || len(page) == 0 {
			return sum.Contents(), err
		}
		for _, r := range page {
			sum.Add(r.line)
		}
		if err := visit(after, page); err != nil {
			return archive.Contents{}, err
		}
		after = page[len(page)-1].key
		progress(phase+" "+c.name, sum.Count(), 0)
	}
}

// merge stores the records that the collection lacks. records must be a gapless part of their source, starting after
// the key after. It fails with archive.ErrDifferent when the collection has a different record under one of their
// keys.
func (c collection) merge(ctx context.Context, after string, records []record) error {
	stored, err := c.page(ctx, after, len(records))
	if err != nil {
		return err
	}
	storedLines := make(map[string][]byte, len(stored))
	for _, r := range stored {
		storedLines[r.key] = r.line
	}
	var missing []record
	for _, r := range records {
		line, ok := storedLines[r.key]
		switch {
		case !ok:
			missing = append(missing, r)
		case !bytes.Equal(line, r.line):
			return fmt.Errorf("%s %s: %w", c.name, r.key, archive.ErrDifferent)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	refused, err := c.put(ctx, missing)
	if err != nil {
		return err
	}
	for i, err := range refused {
		if err != nil {
			return fmt.Errorf("%s %s: %w: %w", c.name, missing[i].key, archive.ErrDifferent, err)
		}
	}
	return nil
}

// contentsOf reads all collections and returns their contents.
func contentsOf(ctx context.Context, collections []collection, phase string, progress inbound.Progress) ([]archive.Contents, error) {
	var out []archive.Contents
	for _, c := range collections {
		sum, err := c.each(ctx, phase, progress, func(string, []record) error { return nil })
		if err != nil {
			return nil, err
		}
		out = append(out, sum)
	}
	return out, nil
}

// prepareTarget fails with archive.ErrNotEmpty when the archive has records, unless resume is set, and makes new
// integer ids higher than last.
func prepareTarget(ctx context.Context, a outbound.Archive, collections []collection, resume bool, last int64) error {
	for _, c := range collections {
		page, err := c.page(ctx, "", 1)
		if err == nil && len(page) > 0 && !resume {
			err = fmt.Errorf("%w: %s", archive.ErrNotEmpty, c.name)
		}
		if err != nil {
			return err
		}
	}
	if last == 0 {
		return nil
	}
	return a.SkipUserIDs(ctx, last)
}
