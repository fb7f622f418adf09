package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roster/domain/credential"
	"roster/domain/user"
	"roster/ports/outbound"
)

var userTable = table[user.User]{
	name: "users",
	fields: []string{
		"id", "email", "email_key", "first_name", "last_name", "active", "staff", "password",
		"joined_us", "last_login_us", "session_epoch", "sessions_valid_after_us", "networks", "version",
	},
	derived: []string{"search"},
	row: func(u *user.User) []any {
		s := u.Snapshot()
		return []any{
			s.ID.SortKey(), s.Email, s.EmailKey, s.FirstName, s.LastName, s.Active, s.Staff, s.Password.Encoded(),
			micros(s.Joined), micros(s.LastLogin), s.SessionEpoch, micros(s.SessionsValidAfter), s.Networks.Encoded(), s.Version,
			u.SearchText(),
		}
	},
	scan: func(row pgx.Row) (*user.User, error) {
		var s user.Snapshot
		var id, password, networks string
		var joined, lastLogin, validAfter *int64
		if err := row.Scan(&id, &s.Email, &s.EmailKey, &s.FirstName, &s.LastName, &s.Active, &s.Staff, &password,
			&joined, &lastLogin, &s.SessionEpoch, &validAfter, &networks, &s.Version); err != nil {
			return nil, err
		}
		s.ID, s.Password = user.IDFromSortKey(id), credential.RestoreHash(password)
		s.Joined, s.LastLogin, s.SessionsValidAfter = ofMicros(joined), ofMicros(lastLogin), ofMicros(validAfter)
		s.Networks = user.RestoreNetworks(networks)
		u, err := user.Restore(s)
		return restored(id, u, err)
	},
	next: func(u *user.User, version int64) (*user.User, error) {
		s := u.Snapshot()
		s.Version = version
		return user.Restore(s)
	},
	version: (*user.User).Version,
	missing: user.ErrNotFound,
	unique:  "email_key",
	taken:   user.ErrEmailTaken,
	guard: func(ctx context.Context, q querier, op string, before, after *user.User) error {
		return leaveStaff(ctx, q, op, before.ID(), after.Resigns(before.Snapshot(), false))
	},
}

// keyOf returns the form of id that is stored, and whether id can be and is spelt as that form is read
// back: "07" would otherwise be taken for "7".
func keyOf(id user.ID) (string, bool) {
	key := id.SortKey()
	return key, user.IDFromSortKey(key) == id && storable(key)
}

// selectOtherStaff says whether a user besides that with an id administers others.
const selectOtherStaff = "SELECT EXISTS (SELECT 1 FROM users WHERE active AND staff AND id <> $1)"

// leaveStaff fails with user.ErrLastStaff when the user with an id resigns and no other administers others.
// Resignations run one after the other. As transactions are READ COMMITTED, the statement that looks for another
// user sees everything that was committed before it got the lock. The row of the user was locked before, and no
// other row is afterwards, so no two transactions wait for each other.
func leaveStaff(ctx context.Context, q querier, op string, id user.ID, resigns bool) error {
	if !resigns {
		return nil
	}
	if _, err := q.Exec(ctx, oneByOne, "resign"); err != nil {
		return translate(ctx, op, err)
	}
	var other bool
	if err := q.QueryRow(ctx, selectOtherStaff, id.SortKey()).Scan(&other); err != nil {
		return translate(ctx, op, err)
	}
	if !other {
		return fmt.Errorf("postgres: %s: %w", op, user.ErrLastStaff)
	}
	return nil
}

type users struct{ s *Store }

var _ outbound.Users = users{}

// The highest counted id: read, and moved to an added one, if that is above it.
const (
	selectCounter = "SELECT value FROM counters WHERE name = 'user_id'"
	countAbove    = "UPDATE counters SET value = $1 WHERE name = 'user_id' AND value < $1"
)

// Add implements outbound.Users.
func (r users) Add(ctx context.Context, u *user.User) error {
	const op = "add user"
	if _, ok := keyOf(u.ID()); !ok {
		return fmt.Errorf("postgres: %s: %q is no id", op, u.ID())
	}
	return r.s.write(ctx, op, func(ctx context.Context, q querier) error {
		if err := userTable.add(ctx, q, op, u); err != nil {
			return err
		}
		n, counted := u.ID().Integer()
		if !counted {
			return nil
		}
		_, err := q.Exec(ctx, countAbove, n)
		return translate(ctx, op, err)
	})
}

// Get implements outbound.Users.
func (r users) Get(ctx context.Context, id user.ID) (*user.User, error) {
	const op = "get user"
	key, ok := keyOf(id)
	if !ok {
		return nil, fmt.Errorf("postgres: %s: %w", op, user.ErrNotFound)
	}
	return r.find(ctx, op, "id", key)
}

// ByEmail implements outbound.Users.
func (r users) ByEmail(ctx context.Context, key string) (*user.User, error) {
	return r.find(ctx, "get user by email", "email_key", key)
}

func (r users) find(ctx context.Context, op, column, value string) (u *user.User, err error) {
	err = r.s.read(ctx, func(ctx context.Context, q querier) error {
		u, err = userTable.get(ctx, q, op, userTable.selectWhere(column), value)
		return err
	})
	return u, err
}

// Update implements outbound.Users.
func (r users) Update(ctx context.Context, id user.ID, change func(*user.User) error) (*user.User, error) {
	const op = "update user"
	key, ok := keyOf(id)
	if !ok {
		return nil, fmt.Errorf("postgres: %s: %w", op, user.ErrNotFound)
	}
	return userTable.update(ctx, r.s.write, op, key, change)
}

// Delete implements outbound.Users.
func (r users) Delete(ctx context.Context, id user.ID, check func(*user.User) error) error {
	const op = "delete user"
	key, ok := keyOf(id)
	if !ok {
		return fmt.Errorf("postgres: %s: %w", op, user.ErrNotFound)
	}
	return r.s.write(ctx, op, func(ctx context.Context, q querier) error {
		u, err := userTable.get(ctx, q, op, userTable.selectToChange(), key)
		if err != nil {
			return err
		}
		before := u.Snapshot()
		if err := check(u); err != nil {
			return err
		}
		if err := leaveStaff(ctx, q, op, id, u.Resigns(before, true)); err != nil {
			return err
		}
		_, err = q.Exec(ctx, userTable.deleteOne(), key)
		return translate(ctx, op, err)
	})
}

// List implements outbound.Users.
func (r users) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	query, args := list(q)
	return userTable.list(ctx, r.s, "list users", query, args)
}

// Count implements outbound.Users.
func (r users) Count(ctx context.Context, f user.Filter) (n int, err error) {
	query, args := count(f)
	err = r.s.read(ctx, func(ctx context.Context, q querier) error {
		return translate(ctx, "count users", q.QueryRow(ctx, query, append([]any{r.s.listing}, args...)...).Scan(&n))
	})
	return n, err
}

type userIDs struct{ s *Store }

var _ outbound.UserIDs = userIDs{}

var errUsedUp = errors.New("postgres: counted ids are used up")

// countUp takes the next id. When the answer is lost so is the id.
const countUp = "UPDATE counters SET value = value + 1 WHERE name = 'user_id' AND value < 9223372036854775807 RETURNING value"

// NewUserID implements outbound.UserIDs.
func (r userIDs) NewUserID(ctx context.Context) (id user.ID, err error) {
	err = r.s.read(ctx, func(ctx context.Context, q querier) error {
		var n int64
		err := q.QueryRow(ctx, countUp).Scan(&n)
		if errors.Is(err, pgx.ErrNoRows) {
			return errUsedUp
		}
		id = user.IntegerID(n)
		return translate(ctx, "count up the user id", err)
	})
	if err != nil {
		return "", err
	}
	return id, nil
}
