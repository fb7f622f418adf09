package application

import (
	"context"
	"sync/atomic"

	"roster/domain/fault"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Health tells whether the service can do its work.
type Health struct {
	storage  outbound.Storage
	draining atomic.Bool
}

var _ inbound.Health = (*Health)(nil)

// NewHealth returns the health of a service that keeps everything in s.
func NewHealth(s outbound.Storage) *Health { return &Health{storage: s} }

// Drain makes the service not ready for good: it is about to stop, and new work should go elsewhere.
func (h *Health) Drain() { h.draining.Store(true) }

// Ready implements inbound.Health.
func (h *Health) Ready(ctx context.Context) error {
	if h.draining.Load() {
		return fault.ErrUnavailable
	}
	return h.storage.Ping(ctx)
}
