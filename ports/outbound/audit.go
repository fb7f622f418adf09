package outbound

import (
	"context"
	"time"

	"roster/domain/audit"
	"roster/domain/mail"
)

// AuditTrail stores security events. Events are appended, read, and deleted by age. They never change.
type AuditTrail interface {
	// Append stores events. It fails with audit.ErrBadEvent, and stores none, when one of them breaks a rule. An
	// event whose id is stored already is skipped without an error, so that Append can be repeated after a lost
	// answer or a partial failure. After it returns nil, a loss of power does not undo it.
	Append(ctx context.Context, events ...audit.Event) error

	// List returns the events that q selects, in its order. The list may be empty.
	List(ctx context.Context, q audit.Query) ([]audit.Event, error)

	// Counts returns the number of events of each of some kinds that were at since or later and before until, both in whole
	// milliseconds. A kind without events is absent. It reads an index over these events and no others.
	Counts(ctx context.Context, kinds []audit.Kind, since, until time.Time) (map[audit.Kind]int, error)

	// Sweep deletes at most limit events from before a time, the oldest first, and returns their number.
	Sweep(ctx context.Context, before time.Time, limit int) (int, error)
}

// Effects returns what a port stores with a change: its audit events and the mails that it causes. The port calls it after
// each run of the change that belongs to it, and stores what the last call returns. An event that breaks a rule makes the
// change fail with audit.ErrBadEvent.
//
// The events of a change that is made are in the trail, each once, and its mails in the queue; those of a change that is
// refused are not. Neither a failure nor a crash separates them, also when the record is deleted the next moment. A backend
// without transactions may differ in two ways. After a failure or a crash the events and mails can come into the trail and
// the queue later, with the next change of the record, a start or AuditTrail.Sweep at the latest. And a crash or an outage
// during a deletion can leave the event of a deletion that was not made.
type Effects func() ([]audit.Event, []*mail.Mail)

// EffectsOf returns what all functions of a call return, checked. It fails with audit.ErrBadEvent.
func EffectsOf(all []Effects) (events []audit.Event, mails []*mail.Mail, err error) {
	for _, f := range all {
		e, m := f()
		events, mails = append(events, e...), append(mails, m...)
	}
	for _, e := range events {
		if err := e.Check(); err != nil {
			return nil, nil, err
		}
	}
	return events, mails, nil
}

// EventIDs generates ids of events. They are unique and increase with time.
type EventIDs interface {
	NewEventID() audit.ID
}
