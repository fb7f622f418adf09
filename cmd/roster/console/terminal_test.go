package console

import (
	"context"
	"errors"
	"testing"
)

// Await does not outlive its context.
func TestAwait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := make(chan struct{})
	defer close(never)
	if _, err := Await(ctx, func() (string, error) { <-never; return "", nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("await returned %v", err)
	}
}
