package telemetry

import (
	"context"
	"time"

	"go.uber.org/zap"

	"roster/ports/inbound"
)

// Log returns an Observer that calls next, unless nil, and logs operations at level debug: what was done, for which request,
// how long it took and how it ended. It never logs what an operation was called with. At other levels it costs a
// comparison.
func Log(log *zap.Logger, next Observer) Observer {
	log = log.Named("operation")
	if next == nil {
		next = func(ctx context.Context, _, _ string) (context.Context, func(error)) { return ctx, ignore }
	}
	return func(ctx context.Context, layer, operation string) (context.Context, func(error)) {
		if !log.Core().Enabled(zap.DebugLevel) {
			return next(ctx, layer, operation)
		}
		begun := time.Now()
		ctx, end := next(ctx, layer, operation)
		return ctx, func(err error) {
			end(err)
			log.Debug(operation, zap.String("layer", layer), zap.String("outcome", Outcome(err)),
				zap.Float64("duration_ms", float64(time.Since(begun).Microseconds())/1000),
				zap.String("request_id", inbound.OriginOf(ctx).RequestID))
		}
	}
}

func ignore(error) {}
