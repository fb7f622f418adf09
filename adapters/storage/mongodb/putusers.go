package mongodb

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"roster/domain/user"
	"roster/ports/outbound"
)

// putUsers stores the users whose id and email are free, also among the users before them, and returns why each of the
// others is refused.
func putUsers(ctx context.Context, s *Store, op string, docs []userDocument) ([]error, error) {
	refused := make([]error, len(docs))
	left := make([]int, len(docs)) // the indexes of those to be stored
	for i := range left {
		left[i] = i
	}
	err := tryAgain(ctx, op, func() (done bool, err error) {
		if left, err = s.refuse(ctx, op, docs, left, refused); err != nil || len(left) == 0 {
			return true, err
		}
		var batch []userDocument // the first of each email
		var nth []int
		seen := map[string]bool{}
		for _, i := range left {
			if key := docs[i].EmailKey; !seen[key] {
				seen[key] = true
				batch, nth = append(batch, docs[i]), append(nth, i)
			}
		}
		if err := userIDs(users{s}).skip(ctx, op, batch...); err != nil {
			return false, err
		}
		put := userTable.putByID
		if s.sharded {
			put = putClaimed
		}
		refusals, err := put(ctx, s, op, batch)
		if err != nil {
			return false, err
		}
		left = slices.DeleteFunc(left, func(i int) bool {
			at, tried := slices.BinarySearch(nth, i)
			if tried && s.sharded {
				refused[i] = refusals[at]
			}
			return tried && (s.sharded || refusals[at] == nil) // or else another caller has just stored the id or the email
		})
		return len(left) == 0, nil
	})
	if err != nil {
		return refused, err
	}
	var there []string // that the caller need not bring again
	for i, refusal := range refused {
		if errors.Is(refusal, outbound.ErrKeyTaken) {
			there = append(there, docs[i].ID)
		}
	}
	return refused, s.settle(ctx, op, userTable.name, there...)
}

// refuse writes to refused the reasons why users of left cannot be stored, and returns the others. A taken id takes
// precedence over a taken email. One command checks both: between two commands the same user may be stored, and the
// second would report its email as taken.
func (s *Store) refuse(ctx context.Context, op string, docs []userDocument, left []int, refused []error) ([]int, error) {
	ids, keys := make([]string, len(left)), make([]string, len(left))
	for i, nth := range left {
		ids[i], keys[i] = docs[nth].ID, docs[nth].EmailKey
	}
	there, err := findAll[userDocument](ctx, s, op, withIDsOrEmails(ids, keys), 2*len(left))
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

// withIDsOrEmails finds users with one of some ids or emails.
func withIDsOrEmails(ids, keys []string) lookup {
	return lookup{
		Find:       userTable.name,
		Filter:     bson.D{{Key: "$or", Value: bson.A{is("_id", compared("$in", ids)), is("email_key", compared("$in", keys))}}},
		Projection: is("email_key", 1),
	}
}

// putClaimed is putByID in sharded mode: each user is added as by Users.Add, several at a time.
func putClaimed(ctx context.Context, s *Store, op string, docs []userDocument) ([]error, error) {
	refused := make([]error, len(docs))
	var g errgroup.Group // a failure cancels none of the others: each is short, and cutting one off costs its connection
	g.SetLimit(8)
	for i, d := range docs {
		g.Go(func() error {
			err := claims{s}.add(ctx, op, d, effects{})
			switch {
			case errors.Is(err, user.ErrIDTaken):
				refused[i] = outbound.ErrKeyTaken
			case errors.Is(err, user.ErrEmailTaken):
				refused[i] = user.ErrEmailTaken
			default:
				return err
			}
			return nil
		})
	}
	return refused, g.Wait()
}
