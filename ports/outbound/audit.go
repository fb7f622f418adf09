package outbound

import (
	"context"
	"time"

	"roster/domain/audit"
)

// AuditTrail keeps security events. It can be added to, read, and cut off by age; no event changes.
type AuditTrail interface {
	// Append stores events, or none when one of them breaks a rule: audit.ErrBadEvent. One whose id is
	// there already is kept as it was, which is no failure: adding again after a lost answer does not
	// add twice, and adds what an outage in the middle left out. Once it returns nil, a loss of power
	// does not undo it.
	Append(ctx context.Context, events ...audit.Event) error

	// List returns the events that q asks for, in its order; none is no failure.
	List(ctx context.Context, q audit.Query) ([]audit.Event, error)

	// Sweep removes events from before a time, the oldest first, at most limit of them, and returns
	// how many went.
	Sweep(ctx context.Context, before time.Time, limit int) (int, error)
}

// EventIDs mints identifiers of events, which grow with time and do not come twice.
type EventIDs interface {
	NewEventID() audit.ID
}
