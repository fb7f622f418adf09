package outbound

import (
	"context"
	"time"

	"roster/domain/audit"
)

// AuditTrail stores security events. Events are appended, read, and deleted by age. They never change.
type AuditTrail interface {
	// Append stores events. It fails with audit.ErrBadEvent, and stores none, when one of them breaks a rule. An
	// event whose id is stored already is skipped without an error, so that Append can be repeated after a lost
	// answer or a partial failure. After it returns nil, a loss of power does not undo it.
	Append(ctx context.Context, events ...audit.Event) error

	// List returns the events that q selects, in its order. The list may be empty.
	List(ctx context.Context, q audit.Query) ([]audit.Event, error)

	// Sweep deletes at most limit events from before a time, the oldest first, and returns their number.
	Sweep(ctx context.Context, before time.Time, limit int) (int, error)
}

// Events returns the audit events of a change, which a port stores with it: in one transaction where the backend can,
// otherwise so that neither a failure nor a crash loses them once the change is stored. The port calls it after each
// run of the change that belongs to it, and stores what the last call returns. An event that breaks a rule makes the
// change fail with audit.ErrBadEvent.
type Events func() []audit.Event

// EventsOf returns what all functions of a call return, checked. It fails with audit.ErrBadEvent.
func EventsOf(all []Events) (events []audit.Event, err error) {
	for _, f := range all {
		events = append(events, f()...)
	}
	for _, e := range events {
		if err := e.Check(); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// EventIDs generates ids of events. They are unique and increase with time.
type EventIDs interface {
	NewEventID() audit.ID
}
