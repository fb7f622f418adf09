package bootstrap

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// When the database server does not answer, a start tries again after pauses that double from firstPause to longestPause.
// awayReserve is the time that the last try, and closing after it, may take before the start is over.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 10 * time.Second
	awayReserve  = 10 * time.Second
)

// await returns a storage.Options.Retry that waits before the next try and logs it. It gives up when interrupted ends,
// or when the context of the start has too little time left.
func await(interrupted context.Context, log *zap.Logger) func(context.Context, error) error {
	pause, begun := firstPause, time.Now()
	return func(ctx context.Context, err error) error {
		if end, ok := ctx.Deadline(); ok && time.Until(end) < pause+awayReserve {
			return fmt.Errorf("gave up after %s: %w", time.Since(begun).Round(time.Second), err)
		}
		log.Warn("the database does not answer; trying again", zap.Error(err), zap.Duration("in", pause))
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
