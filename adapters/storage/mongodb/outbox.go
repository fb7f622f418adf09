package mongodb

import (
	"context"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"roster/adapters/storage"
)

// outbox is a document with the events of its last change, until they are in the trail. One write changes one document,
// so the events take three steps:
//
//  1. The write that makes the change stores them in the changed document.
//  2. They are inserted into the trail, which skips those that it has.
//  3. They are removed from the document in the background, those of many documents with one command.
//
// The change is made by step 1, and its caller waits for step 2. When that fails, or a crash prevents one of the steps,
// the events are inserted by the next change of the document, before it replaces them, by AuditTrail.Sweep and by Start.
// A session is deleted only without events.
//
// A deletion leaves no document. It inserts its events first, and deletes them again when the document was changed
// after it was read. A crash or an outage between the two leaves an event of a deletion that was not made.
type outbox[D any] struct {
	Document D               `bson:",inline"`
	Events   []eventDocument `bson:"events,omitempty"`
}

// Filters of documents with events, which has an index, and without.
var (
	withEvents    = is("events._id", compared("$gt", ""))
	withoutEvents = is("events", compared("$exists", false))
)

// insertEvents is step 2.
func (s *Store) insertEvents(ctx context.Context, events []eventDocument) error {
	for some := range slices.Chunk(events, putAtOnce) {
		if _, err := eventTable.putByID(ctx, s, "append audit events", some); err != nil {
			return err
		}
	}
	return nil
}

// deleteEvents undoes insertEvents.
func (s *Store) deleteEvents(ctx context.Context, events []eventDocument) error {
	if len(events) == 0 {
		return nil
	}
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	_, err := s.deleteAll(ctx, "delete audit events", eventTable.name, is("_id", compared("$in", ids)))
	return err
}

// publish is steps 2 and 3 for the document that same finds, also when the client disconnects.
func (s *Store) publish(ctx context.Context, collection string, same bson.D, events []eventDocument) {
	if len(events) > 0 && s.insertEvents(context.WithoutCancel(ctx), events) == nil {
		s.published.add(collection, same, s.removePublished)
	}
}

// publishLeft is steps 2 and 3 for the documents that fit a filter and still have events. It returns whether there were
// any.
func (s *Store) publishLeft(ctx context.Context, collection string, filter bson.D) (some bool, err error) {
	q := lookup{
		Find: collection, Filter: append(slices.Clip(withEvents), filter...),
		Projection: bson.D{{Key: "version", Value: 1}, {Key: "events", Value: 1}},
	}
	for more := true; more; {
		left, err := findAll[outbox[versioned]](ctx, s, "find audit events", q, putAtOnce)
		if err != nil {
			return false, err
		}
		more = len(left) == putAtOnce
		some = some || len(left) > 0
		var events []eventDocument
		var of []bson.D
		for _, d := range left {
			events, of = append(events, d.Events...), append(of, unchanged(d.Document.ID, d.Document.Version))
		}
		if err := s.insertEvents(ctx, events); err != nil {
			return false, err
		}
		if err := s.removeEvents(ctx, collection, of); err != nil {
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

// removeEvents is step 3 for the documents that some filters find.
func (s *Store) removeEvents(ctx context.Context, collection string, of []bson.D) error {
	changes := make([]mongo.WriteModel, len(of))
	for i, same := range of {
		changes[i] = mongo.NewUpdateOneModel().SetFilter(same).SetUpdate(is("$unset", is("events", "")))
	}
	_, err := s.writeAll(ctx, "remove audit events from "+collection, collection, changes)
	return err
}

// published is the documents whose events are to be removed in the background.
type published struct {
	gate    storage.Gate // open from Start to Close
	mu      sync.Mutex
	of      map[string][]bson.D // filters by collection
	running bool
}

// mostPublished bounds the memory of published, in documents of a collection. The events of further documents are left
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

// removePublished is step 3 in the background. A failure leaves events in their documents.
func (s *Store) removePublished() {
	for of := s.published.take(); of != nil; of = s.published.take() {
		ctx, cancel := context.WithTimeout(context.Background(), oneCommand)
		for collection, documents := range of {
			_ = s.removeEvents(ctx, collection, documents)
		}
		cancel()
	}
}
