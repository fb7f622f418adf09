package bootstrap

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// A database server that is away at the start of the service is tried again after pauses that double from the first
// to the longest. Reserve is what the last try, and the end after it, may take before the start has to be over.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 10 * time.Second
	awayReserve  = 10 * time.Second
)

// await returns an Options.Retry that waits before the next try, and logs each. It gives up when interrupted ends,
// and when the context of the start has not enough time left.
func await(interrupted context.Context, log *zap.Logger) func(context.Context, error) error {
	pause, begun := firstPause, time.Now()
	return func(ctx context.Context, err error) error {
		if end, ok := ctx.Deadline(); ok && time.Until(end) < pause+awayReserve {
			return fmt.Errorf("gave up after %s: %w", time.Since(begun).Round(time.Second), err)
		}
		log.Warn("the database is away; trying again", zap.Error(err), zap.Duration("in", pause))
		timer := time.NewTimer(pause)
		defer timer.Stop()
		pause = min(2*pause, longestPause)
		select {
		case <-interrupted.Done():
			return interrupted.Err()
		case <-ctx.Done():
			return err
		case <-timer.C:
			return nil
		}
	}
}
