package inbound

import (
	"context"

	"roster/domain/audit"
)

// Trail is the conversation about what happened, for staff alone: others get fault.Forbidden, and
// nobody signed in fault.Unauthenticated.
type Trail interface {
	// Authorize tells whether the actor may read the trail, before what they ask for is looked at.
	Authorize(ctx context.Context, actor Actor) error

	// Events returns the events that q asks for.
	Events(ctx context.Context, actor Actor, q audit.Query) ([]audit.Event, error)
}
