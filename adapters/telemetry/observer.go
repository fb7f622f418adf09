package telemetry

import (
	"context"
	"errors"

	"roster/domain/fault"
)

// The layers of operations.
const (
	UseCase = "use case"
	Storage = "storage"
	Hash    = "hash"
)

// Observer is called at the beginning of an operation. The operation gets the context that it returns, and calls end
// with its error, which is nil when it succeeded.
type Observer func(ctx context.Context, layer, operation string) (_ context.Context, end func(error))

// All returns an Observer that calls each of os, nil when there is none.
func All(os ...Observer) Observer {
	switch len(os) {
	case 0:
		return nil
	case 1:
		return os[0]
	}
	return func(ctx context.Context, layer, operation string) (context.Context, func(error)) {
		ends := make([]func(error), len(os))
		for i, o := range os {
			ctx, ends[i] = o(ctx, layer, operation)
		}
		return ctx, func(err error) {
			for _, end := range ends {
				end(err)
			}
		}
	}
}

// errPanicked is the error of an operation that panicked.
var errPanicked = errors.New("the operation panicked")

// observe runs an operation without a result.
func (o Observer) observe(ctx context.Context, layer, operation string, f func(context.Context) error) error {
	_, err := observed(ctx, o, layer, operation, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
	return err
}

// observed runs an operation.
func observed[T any](
	ctx context.Context, o Observer, layer, operation string, f func(context.Context) (T, error),
) (result T, err error) {
	ctx, end := o(ctx, layer, operation)
	err = errPanicked
	defer func() { end(err) }()
	result, err = f(ctx)
	return result, err
}

// outcomes are the names of the kinds of errors.
var outcomes = map[fault.Kind]string{
	fault.Internal: "internal_error", fault.Invalid: "invalid", fault.NotFound: "not_found", fault.Conflict: "conflict",
	fault.Stale: "stale", fault.Unauthenticated: "unauthenticated", fault.Forbidden: "forbidden",
	fault.RateLimited: "rate_limited", fault.Unavailable: "unavailable",
}

// Outcome returns how an operation ended: "ok", "canceled" when its context ended, or the kind of its error.
func Outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	}
	return outcomes[fault.KindOf(err)]
}

// failed reports whether an outcome is a failure of the service, and not the answer to what was asked.
func failed(outcome string) bool {
	return outcome == "internal_error" || outcome == "unavailable" || outcome == "canceled"
}
