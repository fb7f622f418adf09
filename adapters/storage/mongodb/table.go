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
	"roster/ports/outbound"
)

// table maps the aggregates T, each with a state S, to the documents D of one collection. A D can be compared.
type table[T, S any, D comparable] struct {
	name     string
	record   string // what errors call one
	unread   bson.D // the projection that leaves out what is for queries alone; nil where nothing is
	document func(S) D
	state    func(D) S
	id       func(D) string
	snapshot func(*T) S
	restore  func(S) (*T, error)
	check    func(S) error   // fails for what cannot be read back; nil when everything can
	version  func(*S) *int64 // nil where nothing changes

	missing error           // of an id that no document has
	fresh   func(string) *T // what there is then instead: an aggregate of version 0
	life    func(D) bson.E  // distinguishes a document from a later one with its id; nil where there is none
	exists  error           // of an id that is taken
	rival   func(D) bson.D  // finds other documents with what must be unique besides the id; nil for nothing
	taken   error           // when there is one
	needs   func(before S, after *T, deleted bool) conditions
}

// of returns the document of an aggregate.
func (t *table[T, S, D]) of(v *T) D { return t.document(t.snapshot(v)) }

// read rebuilds an aggregate.
func (t *table[T, S, D]) read(op string, d D) (*T, error) {
	v, err := t.restore(t.state(d))
	if err != nil {
		return nil, fmt.Errorf("mongodb: %s: document %q: %w", op, t.id(d), err)
	}
	return v, nil
}

// checked returns the document of s, or an error when it breaks a rule.
func (t *table[T, S, D]) checked(s S) (d D, err error) {
	if t.check != nil {
		if err := t.check(s); err != nil {
			return d, err
		}
	}
	if _, err := t.restore(s); err != nil {
		return d, err
	}
	return t.document(s), nil
}

// list reads the aggregates that q finds, at most limit of them.
func (t *table[T, S, D]) list(ctx context.Context, s *Store, op string, q lookup, limit int) ([]*T, error) {
	q.Projection = t.unread
	docs, err := findAll[D](ctx, s, op, q, limit)
	if err != nil {
		return nil, err
	}
	return t.readAll(op, docs)
}

// readAll rebuilds aggregates.
func (t *table[T, S, D]) readAll(op string, docs []D) (found []*T, err error) {
	found = make([]*T, len(docs))
	for i, d := range docs {
		if found[i], err = t.read(op, d); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// tries bounds the attempts of a write that conflicts with others. Of concurrent attempts one always succeeds, and pauses
// spread the others.
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
func (t *table[T, S, D]) find(ctx context.Context, s *Store, op, key, value string) (*T, error) {
	v, _, err := t.findWithEffects(ctx, s, op, key, value)
	return v, err
}

// findWithEffects is find, and returns the effects in the document.
func (t *table[T, S, D]) findWithEffects(ctx context.Context, s *Store, op, key, value string) (*T, effects, error) {
	var d outbox[D]
	err := s.findOne(ctx, op, t.name, is(key, value), &d, t.unread)
	if errors.Is(err, mongo.ErrNoDocuments) {
		if t.fresh != nil {
			return t.fresh(value), effects{}, nil
		}
		return nil, effects{}, fmt.Errorf("mongodb: %s: %w", op, t.missing)
	}
	if err != nil {
		return nil, effects{}, err
	}
	v, err := t.read(op, d.Document)
	return v, d.Effects, err
}

// refusal reads back what stands against writing d. It is nil when nothing does, or no longer.
func (t *table[T, S, D]) refusal(ctx context.Context, s *Store, op string, d D, added bool) error {
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
func (t *table[T, S, D]) absent(ctx context.Context, s *Store, op string, filter bson.D, refusal error) error {
	err := s.findOne(ctx, op, t.name, filter, &named{}, is("_id", 1))
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return nil
	case err == nil:
		return fmt.Errorf("mongodb: %s: %w", op, refusal)
	}
	return err
}

// add stores a new document with its effects, which the caller is to publish.
func (t *table[T, S, D]) add(ctx context.Context, s *Store, op string, d D, caused effects) error {
	return tryAgain(ctx, op, func() (bool, error) {
		err := s.insertOne(ctx, op, t.name, outbox[D]{d, caused})
		if duplicate(err) {
			return false, t.refusal(ctx, s, op, d, true)
		}
		return true, err
	})
}

// update applies change to the document with an id, with its effects, and returns the aggregate as stored. The document is
// replaced only if it still has the version that was read; else it is read again. So it is judged too where change finds
// nothing to do, or refuses: that a session has been ended already, for instance.
func (t *table[T, S, D]) update(
	ctx context.Context, s *Store, op, id string, change func(*T) error, given ...outbound.Effects,
) (out *T, err error) {
	err = tryAgain(ctx, op, func() (bool, error) {
		v, left, err := t.findWithEffects(ctx, s, op, "_id", id)
		if err != nil {
			return false, err
		}
		former := t.snapshot(v)
		version := *t.version(&former)
		refusal := change(v)
		var caused effects
		if refusal == nil {
			caused, refusal = effectsOf(op, given)
		}
		if refusal != nil || t.of(v) == t.document(former) {
			out = v
			done, err := t.confirm(ctx, s, op, t.document(former), version)
			if done {
				err = cmp.Or(refusal, s.insertEffects(context.WithoutCancel(ctx), caused))
			}
			return done, err
		}
		after := t.snapshot(v)
		*t.version(&after) = version + 1
		if out, err = t.restore(after); err != nil {
			return false, fmt.Errorf("mongodb: %s: %w", op, err)
		}
		same, err := t.allowed(ctx, s, op, former, v, false)
		if same == nil || err != nil {
			return false, err
		}
		if err := s.insertEffects(ctx, left); err != nil {
			return false, err
		}
		done, err := t.replace(ctx, s, op, same, outbox[D]{t.document(after), caused}, version)
		if done && err == nil {
			s.publish(ctx, t.name, unchanged(id, version+1), caused)
		}
		return done, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// allowed returns the filter of the change of before into after, or of its deletion, nil when it has to be tried again.
func (t *table[T, S, D]) allowed(ctx context.Context, s *Store, op string, before S, after *T, deleted bool) (bson.D, error) {
	d := t.document(before)
	same := t.same(d, *t.version(&before))
	if t.needs != nil {
		if c := t.needs(before, after, deleted); c.staff || c.email != "" && s.sharded {
			return s.guarded(ctx, op, t.id(d), same, c)
		}
	}
	return same, nil
}

// replace puts after in the place of what same finds, and reports whether that was still there.
// What was never stored is put where there is nothing.
func (t *table[T, S, D]) replace(
	ctx context.Context, s *Store, op string, same bson.D, after outbox[D], version int64,
) (done bool, err error) {
	if version == 0 {
		err := s.insertOne(ctx, op, t.name, after)
		if duplicate(err) {
			return false, nil
		}
		return true, err
	}
	done, err = s.replaceOne(ctx, op, t.name, same, after)
	if duplicate(err) {
		return false, t.refusal(ctx, s, op, after.Document, false)
	}
	return done, err
}

// confirm reports whether d is stored, and so on a majority of the members: it may have been read where a
// write is not acknowledged yet, and would be undone with it. It writes what is there, which changes nothing
// and is acknowledged when all that was there before is on a majority.
func (t *table[T, S, D]) confirm(ctx context.Context, s *Store, op string, d D, version int64) (done bool, err error) {
	if version == 0 || !awaited(t.name) {
		return true, nil
	}
	return s.setOne(ctx, op, t.name, t.same(d, version), is("version", version))
}

// same is the filter of a change of d as it was read.
func (t *table[T, S, D]) same(d D, version int64) bson.D {
	same := unchanged(t.id(d), version)
	if t.life != nil {
		same = append(same, t.life(d))
	}
	return same
}

// remove deletes the document with an id, if check agrees to the aggregate as it is then, with its effects.
func (t *table[T, S, D]) remove(
	ctx context.Context, s *Store, op, id string, check func(*T) error, given ...outbound.Effects,
) error {
	return tryAgain(ctx, op, func() (bool, error) {
		v, left, err := t.findWithEffects(ctx, s, op, "_id", id)
		if err != nil && errors.Is(err, t.missing) {
			return false, cmp.Or(s.settle(ctx, op, t.name, id), err)
		}
		if err != nil {
			return false, err
		}
		before := t.snapshot(v)
		if err := check(v); err != nil {
			return false, err
		}
		caused, err := effectsOf(op, given)
		if err != nil {
			return false, err
		}
		same, err := t.allowed(ctx, s, op, before, v, true)
		if same == nil || err != nil {
			return false, err
		}
		if err := s.insertEffects(ctx, left.and(caused)); err != nil {
			return false, err
		}
		ctx := context.WithoutCancel(ctx) // the effects are stored
		deleted, err := s.deleteOne(ctx, op, t.name, same)
		if !deleted && err == nil {
			err = s.deleteEffects(ctx, caused)
		}
		return deleted, err
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
