package mongodb

import (
	"context"
	"errors"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/user"
	"roster/ports/outbound"
)

// putUsers stores the users whose id and email are free, also among the users before them, and says why each of the
// others is refused.
func putUsers(ctx context.Context, s *Store, op string, docs []userDocument) ([]error, error) {
	r := users{s}
	refused := make([]error, len(docs))
	left := make([]int, len(docs)) // to be stored
	for i := range left {
		left[i] = i
	}
	err := tryAgain(ctx, op, func() (done bool, err error) {
		if left, err = r.refuse(ctx, op, docs, left, refused); err != nil {
			return false, err
		}
		first := firstOfEach(docs, left)
		if err := r.reachAll(ctx, op, docs, first); err != nil {
			return false, err
		}
		settled, err := r.putFirst(ctx, op, docs, first, refused)
		left = slices.DeleteFunc(left, func(nth int) bool { return settled[nth] })
		return len(left) == 0, err
	})
	if err != nil {
		return refused, err
	}
	var there []string // that the caller need not bring again
	for nth, refusal := range refused {
		if errors.Is(refusal, outbound.ErrKeyTaken) {
			there = append(there, docs[nth].ID)
		}
	}
	return refused, r.s.settle(ctx, op, userTable.name, there...)
}

// refuse says in refused who of those left cannot be stored, and returns the others. An id that is taken
// is told first, as elsewhere. One command looks for both: a user who is stored between two would be seen
// by the second alone, and refused for having the email that is their own.
func (r users) refuse(ctx context.Context, op string, docs []userDocument, left []int, refused []error) ([]int, error) {
	ids, keys := make([]string, len(left)), make([]string, len(left))
	for i, nth := range left {
		ids[i], keys[i] = docs[nth].ID, docs[nth].EmailKey
	}
	there, err := findAll[userDocument](ctx, r.s, op, whoHas(ids, keys), 2*len(left))
	if err != nil {
		return nil, err
	}
	takenIDs, takenKeys := make(map[string]bool, len(there)), make(map[string]bool, len(there))
	for _, d := range there {
		takenIDs[d.ID], takenKeys[d.EmailKey] = true, true
	}
	return slices.DeleteFunc(left, func(nth int) bool {
		switch d := docs[nth]; {
		case takenIDs[d.ID]:
			refused[nth] = outbound.ErrKeyTaken
		case takenKeys[d.EmailKey]:
			refused[nth] = user.ErrEmailTaken
		}
		return refused[nth] != nil
	}), nil
}

// whoHas looks for users with one of some ids or emails.
func whoHas(ids, keys []string) lookup {
	return lookup{
		Find:       userTable.name,
		Filter:     bson.D{{Key: "$or", Value: bson.A{is("_id", compared("$in", ids)), is("email_key", compared("$in", keys))}}},
		Projection: bson.D{{Key: "email_key", Value: 1}},
	}
}

// firstOfEach returns those left before whom nobody has their email.
func firstOfEach(docs []userDocument, left []int) (first []int) {
	seen := make(map[string]bool, len(left))
	for _, nth := range left {
		if key := docs[nth].EmailKey; !seen[key] {
			seen[key] = true
			first = append(first, nth)
		}
	}
	return first
}

// reachAll is reach for users of whom nobody need be refused.
func (r users) reachAll(ctx context.Context, op string, docs []userDocument, some []int) error {
	var last int64
	for _, nth := range some {
		if n, counted := user.IDFromSortKey(docs[nth].ID).Integer(); counted {
			last = max(last, n)
		}
	}
	behind, err := userIDs(r).behind(ctx, op, last)
	if err != nil || !behind {
		return err
	}
	return userIDs(r).raise(ctx, op, last)
}

// putFirst stores some users, none of whom has the email of another, and returns which of them are now
// stored or refused. The others lost to somebody who came in between.
func (r users) putFirst(ctx context.Context, op string, docs []userDocument, some []int, refused []error) (settled map[int]bool, err error) {
	if r.s.sharded {
		return claims(r).putAll(ctx, op, docs, some, refused)
	}
	if len(some) == 0 {
		return nil, nil
	}
	settled = make(map[int]bool, len(some))
	batch := make([]userDocument, len(some))
	for i, nth := range some {
		batch[i] = docs[nth]
		settled[nth] = true
	}
	taken, err := insertNew(ctx, r.s, op, userTable.name, batch)
	for _, i := range taken {
		delete(settled, some[i])
	}
	return settled, err
}

// putters is how many users are stored at the same time where each takes several commands.
const putters = 8

// putAll is putFirst on a sharded cluster: each user is added as by Users.Add.
func (c claims) putAll(ctx context.Context, op string, docs []userDocument, some []int, refused []error) (map[int]bool, error) {
	var mu sync.Mutex
	settled := make(map[int]bool, len(some))
	var failed error
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(putters, len(some)) {
		wg.Go(func() {
			for nth := range next {
				mu.Lock()
				enough := failed != nil
				mu.Unlock()
				if enough {
					continue
				}
				err := c.add(ctx, op, docs[nth])
				mu.Lock()
				switch {
				case failed != nil: // it went wrong meanwhile
				case err == nil:
					settled[nth] = true
				case errors.Is(err, user.ErrIDTaken):
					settled[nth], refused[nth] = true, outbound.ErrKeyTaken
				case errors.Is(err, user.ErrEmailTaken):
					settled[nth], refused[nth] = true, user.ErrEmailTaken
				default:
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	for _, nth := range some {
		next <- nth
	}
	close(next)
	wg.Wait()
	return settled, failed
}
