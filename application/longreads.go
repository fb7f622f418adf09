package application

import (
	"context"
	"sync"

	"roster/domain/user"
)

// farOffset is how many users a list may leave out before it counts as a long read.
const farOffset = 1_000

// long reports whether q may pass through many users before it has its answer, on one backend or another: all
// but the first pages of all users in one order.
func long(q user.Query) bool {
	several := len(q.Order) > 1 && q.Order[1].By != user.SortID
	return q.Only == "" && (len(q.Terms) > 0 || q.Active != nil || q.Staff != nil || several || q.Offset > farOffset)
}

// turns bounds how many long reads run at once: one of each user, and a number of all together. The others
// wait in the order in which they came, so that one user's long reads delay only that user's, and the
// processors and the storage's connections stay free for requests that are not long reads.
type turns struct {
	all chan struct{} // holds one element for each long read that runs

	mu sync.Mutex
	of map[user.ID]*turn
}

// turn is the long reads of one user.
type turn struct {
	one   chan struct{} // holds an element while one runs, or waits for its place among all
	users int           // how many run or wait
}

func newTurns(n int) *turns {
	return &turns{all: make(chan struct{}, max(n, 1)), of: map[user.ID]*turn{}}
}

// take waits until the user with an id may ask q, which is at once unless it is a long read; leave ends that. It
// fails with ctx's error when ctx ends first.
func (t *turns) take(ctx context.Context, id user.ID, q user.Query) (leave func(), err error) {
	if !long(q) {
		return func() {}, nil
	}
	t.mu.Lock()
	own := t.of[id]
	if own == nil {
		own = &turn{one: make(chan struct{}, 1)}
		t.of[id] = own
	}
	own.users++
	t.mu.Unlock()
	forget := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.users--; own.users == 0 {
			delete(t.of, id)
		}
	}
	select {
	case own.one <- struct{}{}:
	case <-ctx.Done():
		forget()
		return nil, ctx.Err()
	}
	select {
	case t.all <- struct{}{}:
	case <-ctx.Done():
		<-own.one
		forget()
		return nil, ctx.Err()
	}
	return func() {
		<-t.all
		<-own.one
		forget()
	}, nil
}
