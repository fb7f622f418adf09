package testenv

import (
	"context"
	"testing"
	"time"
)

// LateContext returns a context whose deadline has passed and whose timer has not fired yet, as a driver
// may meet it: Err returns nil until Done is called.
func LateContext(t testing.TB) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	return &late{ctx, cancel}
}

type late struct {
	context.Context
	fire context.CancelCauseFunc
}

func (*late) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func (l *late) Done() <-chan struct{} {
	l.fire(context.DeadlineExceeded)
	return l.Context.Done()
}

func (l *late) Err() error { return context.Cause(l.Context) }
