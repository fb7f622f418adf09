package password

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"roster/domain/credential"
)

// retryAfter is when a caller that was refused should try again.
const retryAfter = time.Second

// pool bounds how many computations run at once, and how many callers wait for how long.
type pool struct {
	places *semaphore.Weighted
	size   int64
	queue  chan struct{} // one element for each waiting caller
	wait   time.Duration

	observe func(wait, took time.Duration)
}

func newPool(o Options) *pool {
	size := int64(max(o.Workers, 1))
	return &pool{
		places: semaphore.NewWeighted(size), size: size,
		queue: make(chan struct{}, max(o.Queue, 0)), wait: o.Wait, observe: o.Observe,
	}
}

// do runs work when n places are free, or all places if there are fewer than n. It fails with credential.ErrBusy when too
// many callers wait or the wait is over, and with the error of ctx when that ends first.
func (p *pool) do(ctx context.Context, n int64, work func()) error {
	n = min(n, p.size)
	called := time.Now()
	if err := p.enter(ctx, n); err != nil {
		return err
	}
	defer p.places.Release(n)
	begun := time.Now()
	inBackground(work)
	if p.observe != nil {
		p.observe(begun.Sub(called), time.Since(begun))
	}
	return nil
}

func (p *pool) enter(ctx context.Context, n int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.places.TryAcquire(n) { // fails also while others wait: first come, first served
		return nil
	}
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return credential.ErrBusy.After(retryAfter)
	}
	limited, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	if p.places.Acquire(limited, n) == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return credential.ErrBusy.After(retryAfter)
}
