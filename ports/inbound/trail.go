package inbound

import (
	"context"

	"roster/domain/audit"
)

// Trail is the group of use cases about the audit trail. Each method fails with fault.Unauthenticated when the actor is
// anonymous.
type Trail interface {
	// Events checks the actor's rights, calls read for the query, and returns the events that it selects. It fails with
	// fault.Forbidden when the actor is not staff.
	Events(ctx context.Context, actor Actor, read func() (audit.Query, error)) ([]audit.Event, error)

	// DoneToMe returns the last events, at most limit, in which staff or the operator changed the account of the actor, which
	// need not be staff. They contain neither the person nor the client; Channel says whether it was the command line.
	DoneToMe(ctx context.Context, actor Actor, limit int) ([]audit.Event, error)
}
