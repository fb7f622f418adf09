package application_test

import (
	"context"
	"errors"
	"testing"

	"roster/application"
	"roster/domain/fault"
	"roster/ports/outbound"
)

// answering is a storage whose Ping returns err.
type answering struct {
	outbound.Storage
	err error
}

func (a *answering) Ping(context.Context) error { return a.err }

// The service is ready while its storage is up, and never again after Drain.
func TestReadiness(t *testing.T) {
	s := &answering{}
	h := application.NewHealth(s)
	if err := h.Ready(t.Context()); err != nil {
		t.Errorf("all is well: %v", err)
	}
	away := errors.New("away")
	s.err = away
	if err := h.Ready(t.Context()); !errors.Is(err, away) {
		t.Errorf("the storage is away: %v", err)
	}
	s.err = nil
	if err := h.Ready(t.Context()); err != nil {
		t.Errorf("the storage is back: %v", err)
	}
	h.Drain()
	if err := h.Ready(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("about to stop: %v", err)
	}
}
