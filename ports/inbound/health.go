package inbound

import "context"

// Health tells whether the service can do its work now.
type Health interface {
	// Ready fails with fault.Unavailable when a resource that requests need is away.
	Ready(ctx context.Context) error
}
