package mongodb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"roster/domain/credential"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// userDocument is a user as stored. Ids are the domain's sort keys (user.ID.SortKey), so that the
// order of bytes is the order of ids; texts are compared byte by byte, as collections without a
// collation do.
type userDocument struct {
	ID        string    `bson:"_id"`
	Email     string    `bson:"email"`
	EmailKey  string    `bson:"email_key"`
	FirstName string    `bson:"first_name"`
	LastName  string    `bson:"last_name"`
	Active    bool      `bson:"active"`
	Staff     bool      `bson:"staff"`
	Password  string    `bson:"password"`
	Times     userTimes `bson:",inline"`
	Epoch     int64     `bson:"session_epoch,omitempty"`
	Networks  string    `bson:"networks,omitempty"`
	State     string    `bson:"email_state,omitempty"`
	Contact   contact   `bson:"contact,omitempty"`
	Invited   string    `bson:"invited,omitempty"` // the id if the user is invited: its index holds only these
	Version   int64     `bson:"version"`
	Search    string    `bson:"search"` // for queries alone, as suffixes
	Suffixes  suffixes  `bson:"suffixes"`
}

// contact is a user.Contact as stored.
type contact struct {
	NewEmail    string    `bson:"new,omitempty"`
	NewEmailKey string    `bson:"new_key,omitempty"`
	UndoEmail   string    `bson:"undo,omitempty"`
	UndoKey     string    `bson:"undo_key,omitempty"`
	UndoSince   time.Time `bson:"undo_since,omitempty"`
	Locale      string    `bson:"locale,omitempty"`
}

// userTimes are those of a user. Schemas before version 3 had dates under other names: an older
// program, which would misread these, finds none and fails.
type userTimes struct {
	Joined             micros `bson:"joined_us"`
	LastLogin          micros `bson:"last_login_us,omitempty"`
	SessionsValidAfter micros `bson:"sessions_valid_after_us,omitempty"`
}

var userTable = table[user.User, user.Snapshot, userDocument]{
	name: "users", record: "user", unread: bson.D{{Key: "search", Value: 0}, {Key: "suffixes", Value: 0}},
	document: func(s user.Snapshot) userDocument {
		d := userDocument{
			ID: s.ID.SortKey(), Email: s.Email, EmailKey: s.EmailKey, FirstName: s.FirstName, LastName: s.LastName,
			Active: s.Active, Staff: s.Staff, Password: s.Password.Encoded(),
			Times: userTimes{micros{s.Joined}, micros{s.LastLogin}, micros{s.SessionsValidAfter}},
			Epoch: s.SessionEpoch, Networks: s.Networks.Encoded(), State: string(s.EmailState), Contact: contact(s.Contact),
			Version: s.Version, Search: s.SearchText(), Suffixes: suffixes(s.SearchText()),
		}
		d.Contact.UndoSince = instant(s.Contact.UndoSince)
		if s.EmailState == user.Invited {
			d.Invited = d.ID
		}
		return d
	},
	state: func(d userDocument) user.Snapshot {
		return user.Snapshot{
			ID: user.IDFromSortKey(d.ID), Email: d.Email, EmailKey: d.EmailKey, FirstName: d.FirstName, LastName: d.LastName,
			Active: d.Active, Staff: d.Staff, Password: credential.RestoreHash(d.Password),
			Joined: d.Times.Joined.Time, LastLogin: d.Times.LastLogin.Time, SessionsValidAfter: d.Times.SessionsValidAfter.Time,
			SessionEpoch: d.Epoch, Networks: user.RestoreNetworks(d.Networks),
			EmailState: user.EmailState(d.State), Contact: user.Contact(d.Contact), Version: d.Version,
		}
	},
	id:       func(d userDocument) string { return d.ID },
	snapshot: (*user.User).Snapshot,
	restore:  user.Restore,
	check:    func(s user.Snapshot) error { _, err := s.ID.Stored(); return err },
	version:  func(s *user.Snapshot) *int64 { return &s.Version },
	missing:  user.ErrNotFound,
	exists:   user.ErrIDTaken,
	rival: func(d userDocument) bson.D {
		return bson.D{{Key: "email_key", Value: d.EmailKey}, {Key: "_id", Value: bson.D{{Key: "$ne", Value: d.ID}}}}
	},
	taken: user.ErrEmailTaken,
	needs: func(before user.Snapshot, after *user.User, deleted bool) conditions {
		c := conditions{staff: after.LosesAdministration(before, deleted)}
		if key := after.Snapshot().EmailKey; key != before.EmailKey {
			c.email = key
		}
		return c
	},
}

type users struct{ s *Store }

var _ outbound.Users = users{}

func (r users) Add(ctx context.Context, u *user.User, given ...outbound.Effects) error {
	const op = "add user"
	d, err := userTable.checked(u.Snapshot())
	if err != nil {
		return fmt.Errorf("mongodb: %s: %w", op, err)
	}
	caused, err := effectsOf(op, given)
	if err != nil {
		return err
	}
	if err := r.skip(ctx, op, d); err != nil {
		return err
	}
	if r.s.sharded {
		err = claims(r).add(ctx, op, d, caused)
	} else {
		err = userTable.add(ctx, r.s, op, d, caused)
	}
	if err != nil {
		return err
	}
	r.s.publish(ctx, userTable.name, unchanged(d.ID, d.Version), caused)
	return nil
}

// skip makes new ids higher than that of a user about to be added. A user that cannot be added causes no gap.
func (r users) skip(ctx context.Context, op string, d userDocument) error {
	higher, err := userIDs(r).higher(ctx, op, d)
	if err != nil || higher == 0 {
		return err
	}
	if err := userTable.refusal(ctx, r.s, op, d, true); err != nil {
		return err
	}
	return userIDs(r).raise(ctx, op, higher)
}

func (r users) Get(ctx context.Context, id user.ID) (*user.User, error) {
	const op = "get user"
	key, err := id.Stored()
	if err != nil {
		return nil, fmt.Errorf("mongodb: %s: %w", op, user.ErrNotFound)
	}
	return userTable.find(ctx, r.s, op, "_id", key)
}

func (r users) ByEmail(ctx context.Context, key string) (*user.User, error) {
	const op = "get user by email"
	if r.s.sharded {
		return claims(r).byEmail(ctx, op, key)
	}
	return userTable.find(ctx, r.s, op, "email_key", key)
}

// WithSession reads both at the same time. A $lookup would need a server of version 5.1 where the collections are sharded.
func (r users) WithSession(ctx context.Context, id user.ID, key session.ID) (*user.User, *session.Session, error) {
	var x *session.Session
	var g errgroup.Group
	if key != "" {
		g.Go(func() (err error) {
			if x, err = r.s.Sessions().Get(ctx, key); errors.Is(err, session.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	u, err := r.Get(ctx, id)
	if err := cmp.Or(err, g.Wait()); err != nil {
		return nil, nil, err
	}
	return u, x, nil
}

func (r users) Update(
	ctx context.Context, id user.ID, change func(*user.User) error, given ...outbound.Effects,
) (*user.User, error) {
	const op = "update user"
	key, err := id.Stored()
	if err != nil {
		return nil, fmt.Errorf("mongodb: %s: %w", op, user.ErrNotFound)
	}
	var from, to string
	u, err := userTable.update(ctx, r.s, op, key, func(u *user.User) error {
		from = u.Snapshot().EmailKey
		err := change(u)
		to = u.Snapshot().EmailKey
		return err
	}, given...)
	if r.s.sharded && from != to {
		unused := from
		if err != nil {
			unused = to
		}
		claims(r).release(context.WithoutCancel(ctx), op, unused, key)
	}
	return u, err
}

func (r users) Delete(ctx context.Context, id user.ID, check func(*user.User) error, given ...outbound.Effects) error {
	const op = "delete user"
	key, err := id.Stored()
	if err != nil {
		return fmt.Errorf("mongodb: %s: %w", op, user.ErrNotFound)
	}
	var former string
	err = userTable.remove(ctx, r.s, op, key, func(u *user.User) error {
		former = u.Snapshot().EmailKey
		return check(u)
	}, given...)
	if err == nil && r.s.sharded { // after the user: a user without a claim could get a rival
		claims(r).release(context.WithoutCancel(ctx), op, former, key)
	}
	return err
}

func (r users) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	const op = "list users"
	if !isSearch(q.Filter) {
		return userTable.list(ctx, r.s, op, page(q), q.Limit)
	}
	filter, sort := list(q)
	a := search(q.Filter, filter, is("$sort", sort), is("$skip", int64(max(q.Offset, 0))), is("$project", userTable.unread))
	docs, err := aggregateAll[userDocument](ctx, r.s, op, a, q.Limit)
	if err != nil {
		return nil, err
	}
	return userTable.readAll(op, docs)
}

// Count takes the number of all users from what the collection knows of itself, which costs the same however many there
// are. After a crash of a server that may be off by the changes of its last minute; on a sharded cluster it holds copies
// that a move of chunks has left behind, until they are cleaned up. A count by a filter is exact, and reads the filter's
// index.
func (r users) Count(ctx context.Context, f user.Filter) (int, error) {
	const op = "count users"
	filter := matching(f)
	if isSearch(f) {
		counted, err := aggregateAll[struct{ N int }](ctx, r.s, op, search(f, all(filter), is("$count", "n")), 1)
		if err != nil || len(counted) == 0 {
			return 0, err
		}
		return counted[0].N, nil
	}
	var n int64
	err := r.s.within(ctx, op, func(ctx context.Context) (err error) {
		if len(filter) > 0 {
			n, err = r.s.collection(userTable.name).CountDocuments(ctx, all(filter))
		} else {
			n, err = r.s.collection(userTable.name).EstimatedDocumentCount(ctx)
		}
		return err
	})
	return int(n), err
}

func (r users) Invited(ctx context.Context, after user.ID, limit int) ([]*user.User, error) {
	return userTable.list(ctx, r.s, "list invited users", invited(after), limit)
}

func invited(after user.ID) lookup {
	return lookup{Find: userTable.name, Filter: is("invited", compared("$gt", after.SortKey())), Sort: is("invited", 1)}
}
