package mongodb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/adapters/storage"
)

// table maps one aggregate T to the documents D of one collection. A D can be compared.
type table[T any, D comparable] struct {
	name     string
	document func(*T) D
	restore  func(D) (*T, error)
	next     func(*T, int64) (*T, error) // the same state under another version
	version  func(*T) int64
	missing  error           // the refusal when no document has the id
	fresh    func(string) *T // or else what there is then: one of version 0
	life     func(D) bson.E  // tells a document from another one that came after it under its id; nil where none can
	id       func(D) string
	exists   error                                     // the refusal when the id is taken
	rival    func(D) bson.D                            // whoever else has what must be unique besides the id; nil when nothing must
	taken    error                                     // the refusal when there is one
	resigns  func(before, after *T, deleted bool) bool // whether a change must leave another active staff user; nil for never
}

// tries is how often a write is tried that others come before. Of those who try at once one always
// succeeds, and the pauses spread the others.
const tries = 128

var errContended = errors.New("too many changes of one document at once")

// tryAgain calls f until it says that it is done, with a pause before each further attempt.
func tryAgain(ctx context.Context, op string, f func() (done bool, err error)) error {
	for n := range tries {
		if err := pause(ctx, n); err != nil {
			return fmt.Errorf("mongodb: %s: %w", op, err)
		}
		if done, err := f(); done || err != nil {
			return err
		}
	}
	return storage.Unavailable(fmt.Errorf("mongodb: %s: %w", op, errContended))
}

// pause waits at random between nothing and a bound that doubles with each attempt, up to 64 ms.
func pause(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return nil
	}
	t := time.NewTimer(rand.N(time.Millisecond << min(attempt, 6))) //nolint:gosec // spreads attempts, and is no secret
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// find reads the document whose key, which is unique, has a value.
func (t *table[T, D]) find(ctx context.Context, s *Store, op, key, value string) (*T, error) {
	var d D
	err := s.within(ctx, op, func(ctx context.Context) error {
		return s.collection(t.name).FindOne(ctx, bson.D{{Key: key, Value: value}}).Decode(&d)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		if t.fresh != nil {
			return t.fresh(value), nil
		}
		return nil, fmt.Errorf("mongodb: %s: %w", op, t.missing)
	}
	if err != nil {
		return nil, err
	}
	v, err := t.restore(d)
	if err != nil {
		return nil, fmt.Errorf("mongodb: %s: %w", op, err)
	}
	return v, nil
}

// refusal reads back what stands against writing d. It is nil when nothing does, or no longer.
func (t *table[T, D]) refusal(ctx context.Context, s *Store, op string, d D, added bool) error {
	if added {
		if err := t.absent(ctx, s, op, bson.D{{Key: "_id", Value: t.id(d)}}, t.exists); err != nil {
			return err
		}
	}
	if t.rival == nil {
		return nil
	}
	return t.absent(ctx, s, op, t.rival(d), t.taken)
}

// absent returns refusal when a document fits filter.
func (t *table[T, D]) absent(ctx context.Context, s *Store, op string, filter bson.D, refusal error) error {
	err := s.within(ctx, op, func(ctx context.Context) error {
		return s.collection(t.name).FindOne(ctx, filter).Err()
	})
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return nil
	case err == nil:
		return fmt.Errorf("mongodb: %s: %w", op, refusal)
	}
	return err
}

// add stores a new document.
func (t *table[T, D]) add(ctx context.Context, s *Store, op string, d D) error {
	return tryAgain(ctx, op, func() (bool, error) {
		err := s.within(ctx, op, func(ctx context.Context) error {
			_, err := s.collection(t.name).InsertOne(ctx, d)
			return err
		})
		if duplicate(err) {
			return false, t.refusal(ctx, s, op, d, true)
		}
		return true, err
	})
}

// update applies change to the document with an id and returns the aggregate as stored. The document
// is replaced only if it still has the version that was read; else it is read again. So it is judged too
// where change finds nothing to do, or refuses: that a session has been ended already, for instance.
func (t *table[T, D]) update(ctx context.Context, s *Store, op, id string, change func(*T) error) (out *T, err error) {
	err = tryAgain(ctx, op, func() (bool, error) {
		v, err := t.find(ctx, s, op, "_id", id)
		if err != nil {
			return false, err
		}
		former, before, version := *v, t.document(v), t.version(v)
		refusal := change(v)
		if refusal != nil || t.document(v) == before {
			out = v
			done, err := t.confirm(ctx, s, op, before, version)
			if done {
				err = refusal
			}
			return done, err
		}
		if out, err = t.next(v, version+1); err != nil {
			return false, fmt.Errorf("mongodb: %s: %w", op, err)
		}
		same, err := t.allowed(ctx, s, op, &former, v, false)
		if same == nil || err != nil {
			return false, err
		}
		return t.replace(ctx, s, op, same, t.document(out), version)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// allowed returns the filter of the change of before into after, or of its deletion, nil when it has to be
// tried again.
func (t *table[T, D]) allowed(ctx context.Context, s *Store, op string, before, after *T, deleted bool) (bson.D, error) {
	d := t.document(before)
	same := t.same(d, t.version(before))
	if t.resigns == nil || !t.resigns(before, after, deleted) {
		return same, nil
	}
	return s.resign(ctx, op, t.id(d), same)
}

// replace puts after in the place of what same finds, and reports whether that was still there.
// What was never stored is put where there is nothing.
func (t *table[T, D]) replace(ctx context.Context, s *Store, op string, same bson.D, after D, version int64) (done bool, err error) {
	if version == 0 {
		err := s.within(ctx, op, func(ctx context.Context) error {
			_, err := s.collection(t.name).InsertOne(ctx, after)
			return err
		})
		if duplicate(err) {
			return false, nil
		}
		return true, err
	}
	err = s.within(ctx, op, func(ctx context.Context) error {
		result, err := s.collection(t.name).ReplaceOne(ctx, same, after)
		done = err == nil && result.MatchedCount == 1
		return err
	})
	if duplicate(err) {
		return false, t.refusal(ctx, s, op, after, false)
	}
	return done, err
}

// confirm reports whether d is stored, and so on a majority of the members: it may have been read where a
// write is not acknowledged yet, and would be undone with it. It writes what is there, which changes nothing
// and is acknowledged when all that was there before is on a majority.
func (t *table[T, D]) confirm(ctx context.Context, s *Store, op string, d D, version int64) (done bool, err error) {
	if version == 0 || !awaited(t.name) {
		return true, nil
	}
	err = s.within(ctx, op, func(ctx context.Context) error {
		result, err := s.collection(t.name).UpdateOne(ctx, t.same(d, version), is("$set", is("version", version)))
		done = err == nil && result.MatchedCount == 1
		return err
	})
	return done, err
}

// same is the filter of a change of d as it was read.
func (t *table[T, D]) same(d D, version int64) bson.D {
	same := unchanged(t.id(d), version)
	if t.life != nil {
		same = append(same, t.life(d))
	}
	return same
}

// remove deletes the document with an id, if check agrees to the aggregate as it is then.
func (t *table[T, D]) remove(ctx context.Context, s *Store, op, id string, check func(*T) error) error {
	return tryAgain(ctx, op, func() (bool, error) {
		v, err := t.find(ctx, s, op, "_id", id)
		if err != nil && errors.Is(err, t.missing) {
			return false, cmp.Or(s.settle(ctx, op, t.name, id), err)
		}
		if err != nil {
			return false, err
		}
		before := *v
		if err := check(v); err != nil {
			return false, err
		}
		same, err := t.allowed(ctx, s, op, &before, v, true)
		if same == nil || err != nil {
			return false, err
		}
		var gone int64
		err = s.within(ctx, op, func(ctx context.Context) error {
			result, err := s.collection(t.name).DeleteOne(ctx, same)
			if err == nil {
				gone = result.DeletedCount
			}
			return err
		})
		return gone == 1, err
	})
}

// settle returns when a majority of the members has the documents of some ids as they were read just now,
// and the absence of those that were not there. It is a write that finds nothing to change; see confirm.
func (s *Store) settle(ctx context.Context, op, collection string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return s.within(ctx, op, func(ctx context.Context) error {
		none := bson.D{{Key: "_id", Value: compared("$in", ids)}, {Key: "version", Value: int64(-1)}}
		_, err := s.collection(collection).UpdateMany(ctx, none, is("$set", is("version", int64(-1))))
		return err
	})
}

// unchanged is the filter of every compare-and-set.
func unchanged(id string, version int64) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "version", Value: version}}
}

// instant is a time as stored: UTC in whole milliseconds; the zero time is left out.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
