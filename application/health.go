package application

import (
	"context"
	"sync/atomic"

	"roster/domain/fault"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Health implements the use case about readiness.
type Health struct {
	storage  outbound.Storage
	draining atomic.Bool
}

var _ inbound.Health = (*Health)(nil)

// NewHealth returns the readiness of a service with the storage s.
func NewHealth(s outbound.Storage) *Health { return &Health{storage: s} }

// Drain makes Ready fail from now on, so that load balancers send new requests elsewhere before the service stops.
func (h *Health) Drain() { h.draining.Store(true) }

func (h *Health) Ready(ctx context.Context) error {
	if h.draining.Load() {
		return fault.ErrUnavailable
	}
	return h.storage.Ping(ctx)
}
