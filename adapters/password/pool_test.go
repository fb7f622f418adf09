package password

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"roster/domain/credential"
	"roster/domain/fault"
)

// occupy fills n places of p until the returned function is called.
func occupy(t *testing.T, p *pool, n int64) (release func()) {
	t.Helper()
	in, out, gone := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		if err := p.do(context.WithoutCancel(t.Context()), n, func() { close(in); <-out }); err != nil {
			t.Error(err)
		}
	}()
	<-in
	return func() { close(out); <-gone }
}

func TestFullPoolWithoutQueueIsBusy(t *testing.T) {
	h := New(Options{Workers: 1, Wait: time.Hour})
	release := occupy(t, h.pool, 1)
	p := credential.NewPassword("lantern orchard")
	_, err := h.Hash(t.Context(), p)
	var f *fault.Error
	if !errors.As(err, &f) || !errors.Is(err, credential.ErrBusy) || f.RetryAfter != time.Second {
		t.Errorf("Hash: %v", err)
	}
	if _, err := h.Verify(t.Context(), p, credential.Unusable); !errors.Is(err, credential.ErrBusy) {
		t.Errorf("Verify: %v", err)
	}
	release()
	if _, err := h.Hash(t.Context(), p); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAtMostWorkersAtOnce(t *testing.T) {
	const workers, callers = 3, 60
	p := newPool(Options{Workers: workers, Wait: time.Hour, Queue: callers})
	var now, most, done atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			err := p.do(t.Context(), 1, func() {
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				done.Add(1)
				now.Add(-1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > workers || done.Load() != callers {
		t.Errorf("%d at once, %d done", most.Load(), done.Load())
	}
}

func TestPlacesAreCounted(t *testing.T) {
	p := newPool(Options{Workers: 3})
	busy := func(n int64) bool { return errors.Is(p.do(t.Context(), n, func() {}), credential.ErrBusy) }
	release := occupy(t, p, 2)
	if busy(1) || !busy(2) || !busy(99) {
		t.Error("two of three places taken: one is free")
	}
	release()
	release = occupy(t, p, 99) // more than the pool has: all of them
	if !busy(1) {
		t.Error("all places taken")
	}
	release()
	if busy(3) || busy(99) {
		t.Error("all places free")
	}
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(Options{Workers: 1, Wait: time.Minute, Queue: 2})
		release := occupy(t, p, 1)
		var wg sync.WaitGroup
		var ran atomic.Int64
		for range 2 {
			wg.Go(func() {
				if err := p.do(t.Context(), 1, func() { ran.Add(1) }); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := p.do(t.Context(), 1, func() { t.Error("ran") }); !errors.Is(err, credential.ErrBusy) {
			t.Errorf("third in the queue: %v", err)
		}
		release()
		wg.Wait()
		if ran.Load() != 2 {
			t.Errorf("%d ran", ran.Load())
		}
	})
}

func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(Options{Workers: 1, Wait: 2 * time.Second, Queue: 1})
		release := occupy(t, p, 1)
		began := time.Now() // in the bubble time advances only while all goroutines wait
		err := p.do(t.Context(), 1, func() { t.Error("ran") })
		if !errors.Is(err, credential.ErrBusy) || time.Since(began) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		release()
		if err := p.do(t.Context(), 1, func() {}); err != nil {
			t.Errorf("a place is lost: %v", err)
		}
	})
}

func TestCancelledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(Options{Workers: 1, Wait: time.Hour, Queue: 1})
		release := occupy(t, p, 1)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- p.do(ctx, 1, func() { t.Error("ran") }) }()
		synctest.Wait()
		began := time.Now()
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) || !time.Now().Equal(began) {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		release()
		if err := p.do(t.Context(), 1, func() {}); err != nil {
			t.Errorf("a place is lost: %v", err)
		}
	})
}

func TestPlaceIsGivenBackAfterAPanic(t *testing.T) {
	p := newPool(Options{Workers: 1})
	func() {
		defer func() { _ = recover() }()
		_ = p.do(t.Context(), 1, func() { panic("defect") })
	}()
	if err := p.do(t.Context(), 1, func() {}); err != nil {
		t.Error(err)
	}
}
