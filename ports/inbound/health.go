package inbound

import "context"

// Health is the use case about readiness.
type Health interface {
	// Ready fails with fault.Unavailable when a resource that requests need is down, or the service is stopping.
	Ready(ctx context.Context) error
}
