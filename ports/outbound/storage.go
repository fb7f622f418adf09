package outbound

import "context"

// Storage is the backend as a whole.
type Storage interface {
	// Ping fails with fault.Unavailable when the storage is down.
	Ping(ctx context.Context) error
}
