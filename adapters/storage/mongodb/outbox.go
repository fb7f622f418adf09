package mongodb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/adapters/storage"
	"roster/ports/outbound"
)

// outbox is a document with the effects of its last change, until they are in their own collections. One write changes one
// document, so the effects take three steps:
//
//  1. The write that makes the change stores them in the changed document.
//  2. They are inserted into the trail and the queue of mails, which skip those that they have.
//  3. They are removed from the document in the background, those of many documents with one command.
//
// The change is made by step 1, and its caller waits for step 2. When that fails, or a crash prevents one of the steps,
// the effects are inserted by the next change of the document, before it replaces them, by AuditTrail.Sweep and by Start.
// A session is deleted only without effects. A mail that was sent is in the queue for longer than effects are in a
// document, so it is not queued again.
//
// A deletion leaves no document. It inserts its effects first, and deletes them again when the document was changed
// after it was read. A crash or an outage between the two leaves the effects of a deletion that was not made.
type outbox[D any] struct {
	Document D       `bson:",inline"`
	Effects  effects `bson:",inline"`
}

// effects are the events and the mails of a change.
type effects struct {
	Events []eventDocument `bson:"events,omitempty"`
	Mails  []mailDocument  `bson:"mails,omitempty"`
}

func (e effects) none() bool { return len(e.Events) == 0 && len(e.Mails) == 0 }

// and returns the effects of both.
func (e effects) and(other effects) effects {
	return effects{slices.Concat(e.Events, other.Events), slices.Concat(e.Mails, other.Mails)}
}

// effectsOf is outbound.EffectsOf for a change.
func effectsOf(op string, given []outbound.Effects) (e effects, err error) {
	occurred, caused, err := outbound.EffectsOf(given)
	if err != nil {
		return e, fmt.Errorf("mongodb: %s: %w", op, err)
	}
	for _, x := range occurred {
		e.Events = append(e.Events, eventTable.document(x))
	}
	for _, m := range caused {
		e.Mails = append(e.Mails, mailTable.of(m))
	}
	return e, nil
}

// Filters of documents with effects, which has an index for each kind, and without.
var (
	withEffects    = is("$or", bson.A{is("events._id", compared("$gt", "")), is("mails._id", compared("$gt", ""))})
	onlyEffects    = bson.D{{Key: "version", Value: 1}, {Key: "events", Value: 1}, {Key: "mails", Value: 1}} // a projection
	withoutEffects = append(is("events", compared("$exists", false)), is("mails", compared("$exists", false))...)
)

// insertEffects is step 2.
func (s *Store) insertEffects(ctx context.Context, e effects) error {
	return cmp.Or(insertOnce(ctx, s, "append audit events", &eventTable, e.Events), insertOnce(ctx, s, "queue mails", &mailTable, e.Mails))
}

func insertOnce[T, S any, D comparable](ctx context.Context, s *Store, op string, t *table[T, S, D], docs []D) error {
	for some := range slices.Chunk(docs, putAtOnce) {
		if _, err := t.putByID(ctx, s, op, some); err != nil {
			return err
		}
	}
	return nil
}

// deleteEffects undoes insertEffects. A mail that was sent by then is not undone.
func (s *Store) deleteEffects(ctx context.Context, e effects) error {
	return cmp.Or(deleteByID(ctx, s, "delete audit events", &eventTable, e.Events), deleteByID(ctx, s, "delete mails", &mailTable, e.Mails))
}

func deleteByID[T, S any, D comparable](ctx context.Context, s *Store, op string, t *table[T, S, D], docs []D) error {
	if len(docs) == 0 {
		return nil
	}
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = t.id(d)
	}
	_, err := s.deleteAll(ctx, op, t.name, is("_id", compared("$in", ids)))
	return err
}

// publish is steps 2 and 3 for the document that same finds, also when the client disconnects.
func (s *Store) publish(ctx context.Context, collection string, same bson.D, e effects) {
	if !e.none() && s.insertEffects(context.WithoutCancel(ctx), e) == nil {
		s.published.add(collection, same, s.removePublished)
	}
}

// publishLeft is steps 2 and 3 for the documents that fit a filter and still have effects. It returns whether there were
// any.
func (s *Store) publishLeft(ctx context.Context, collection string, filter bson.D) (some bool, err error) {
	q := lookup{
		Find: collection, Filter: append(slices.Clip(withEffects), filter...),
		Projection: onlyEffects,
	}
	for more := true; more; {
		left, err := findAll[outbox[versioned]](ctx, s, "find effects", q, putAtOnce)
		if err != nil {
			return false, err
		}
		more = len(left) == putAtOnce
		some = some || len(left) > 0
		var found effects
		var of []bson.D
		for _, d := range left {
			found, of = found.and(d.Effects), append(of, unchanged(d.Document.ID, d.Document.Version))
		}
		if err := s.insertEffects(ctx, found); err != nil {
			return false, err
		}
		if err := s.removeEffects(ctx, collection, of); err != nil {
			return false, err
		}
	}
	return some, nil
}

// versioned is what finds a document as it was read.
type versioned struct {
	ID      string `bson:"_id"`
	Version int64  `bson:"version"`
}

// publishAllLeft is publishLeft for all documents.
func (s *Store) publishAllLeft(ctx context.Context) error {
	for _, collection := range []string{userTable.name, sessionTable.name} {
		if _, err := s.publishLeft(ctx, collection, nil); err != nil {
			return err
		}
	}
	return nil
}

// removeEffects is step 3 for the documents that some filters find.
func (s *Store) removeEffects(ctx context.Context, collection string, of []bson.D) error {
	changes := make([]mongo.WriteModel, len(of))
	for i, same := range of {
		changes[i] = mongo.NewUpdateOneModel().SetFilter(same).SetUpdate(is("$unset", append(is("events", ""), is("mails", "")...)))
	}
	_, err := s.writeAll(ctx, "remove effects from "+collection, collection, changes)
	return err
}

// published has the documents to remove effects from in the background.
type published struct {
	gate    storage.Gate // open from Start to Close
	mu      sync.Mutex
	of      map[string][]bson.D // filters by collection
	running bool
}

// mostPublished bounds the memory of published, in documents of a collection. The effects of further documents are left
// in them.
const mostPublished = 10_000

// add adds a document, and calls remove in a goroutine unless it is running. remove calls take until that returns nil.
func (p *published) add(collection string, same bson.D, remove func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.of[collection]) == mostPublished || !p.running && p.gate.Enter() != nil {
		return
	}
	if p.of == nil {
		p.of = make(map[string][]bson.D)
	}
	p.of[collection] = append(p.of[collection], same)
	if !p.running {
		p.running = true
		go func() {
			defer p.gate.Leave()
			remove()
		}()
	}
}

// take returns the documents that were added since the last call.
func (p *published) take() map[string][]bson.D {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := p.of
	p.of, p.running = nil, of != nil
	return of
}

// removePublished is step 3 in the background. A failure leaves effects in their documents.
func (s *Store) removePublished() {
	for of := s.published.take(); of != nil; of = s.published.take() {
		ctx, cancel := context.WithTimeout(context.Background(), oneCommand)
		for collection, documents := range of {
			_ = s.removeEffects(ctx, collection, documents)
		}
		cancel()
	}
}
