package application

import (
	"context"
	"sync"

	"roster/domain/user"
)

// farOffset is the largest offset of a list that is not a long read.
const farOffset = 1_000

// isLong reports whether q may have to read many users on some backend. Only the first pages of the list of all
// users, in a single order, are not long.
func isLong(q user.Query) bool {
	several := len(q.Order) > 1 && q.Order[1].By != user.SortID
	return q.Only == "" && (len(q.Terms) > 0 || q.Active != nil || q.Staff != nil || several || q.Offset > farOffset)
}

// readLimiter limits concurrent long reads: one per user, and a maximum in all. Others wait in the order of their
// arrival. One user's long reads thus delay only that user, and CPU and storage connections remain for other
// requests.
type readLimiter struct {
	all chan struct{} // holds an element per running long read

	mu     sync.Mutex
	byUser map[user.ID]*userReads
}

// userReads are the long reads of one user.
type userReads struct {
	running chan struct{} // holds an element while one runs or waits for readLimiter.all
	refs    int           // running and waiting reads
}

func newReadLimiter(n int) *readLimiter {
	return &readLimiter{all: make(chan struct{}, max(n, 1)), byUser: map[user.ID]*userReads{}}
}

// acquire waits until the user with this id may run q, which is at once unless q is a long read. The caller must
// call release after the read. It fails with the error of ctx when ctx ends first.
func (t *readLimiter) acquire(ctx context.Context, id user.ID, q user.Query) (release func(), err error) {
	if !isLong(q) {
		return func() {}, nil
	}
	t.mu.Lock()
	own := t.byUser[id]
	if own == nil {
		own = &userReads{running: make(chan struct{}, 1)}
		t.byUser[id] = own
	}
	own.refs++
	t.mu.Unlock()
	unref := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.refs--; own.refs == 0 {
			delete(t.byUser, id)
		}
	}
	select {
	case own.running <- struct{}{}:
	case <-ctx.Done():
		unref()
		return nil, ctx.Err()
	}
	select {
	case t.all <- struct{}{}:
	case <-ctx.Done():
		<-own.running
		unref()
		return nil, ctx.Err()
	}
	return func() {
		<-t.all
		<-own.running
		unref()
	}, nil
}
