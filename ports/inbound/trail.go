package inbound

import (
	"context"

	"roster/domain/audit"
)

// Trail is the use case about the audit trail, for staff. It fails with fault.Unauthenticated when the actor is
// anonymous, and fault.Forbidden when the actor is not staff.
type Trail interface {
	// Events checks the actor's rights, calls read for the query, and returns the events that it selects.
	Events(ctx context.Context, actor Actor, read func() (audit.Query, error)) ([]audit.Event, error)
}
