package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"

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
			strings.ReplaceAll(u.SearchText(), nul, "\uFFFD"),
		}
	},
	scan: func(row scanner) (*user.User, error) {
		var s user.Snapshot
		var id, password, networks string
		var joined, lastLogin, validAfter sql.Null[int64]
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
	taken:   conflicts{id: user.ErrIDTaken, other: user.ErrEmailTaken},
	guard: func(ctx context.Context, q querier, op string, before, after *user.User) error {
		return leaveStaff(ctx, q, op, before.ID(), after.Resigns(before.Snapshot(), false))
	},
}

// keyOf returns the form of id that is stored, and whether id is spelt as that form is read back:
// "07" would otherwise be taken for "7".
func keyOf(id user.ID) (string, bool) {
	key := id.SortKey()
	return key, user.IDFromSortKey(key) == id
}

// selectOtherStaff says whether a user besides that with an id administers others.
const selectOtherStaff = "SELECT EXISTS (SELECT 1 FROM users INDEXED BY users_kind_id WHERE active = 1 AND staff = 1 AND id <> ?)"

// leaveStaff fails with user.ErrLastStaff when the user with an id resigns and no other administers others.
// No other write overlaps the transaction of q.
func leaveStaff(ctx context.Context, q querier, op string, id user.ID, resigns bool) error {
	if !resigns {
		return nil
	}
	var other bool
	if err := q.QueryRowContext(ctx, selectOtherStaff, id.SortKey()).Scan(&other); err != nil {
		return translate(ctx, op, err)
	}
	if !other {
		return fmt.Errorf("sqlite: %s: %w", op, user.ErrLastStaff)
	}
	return nil
}

const deleteUser = "DELETE FROM users WHERE id = ?"

// The highest counted id: read, set, and raised where it is lower.
const (
	selectCounter = "SELECT value FROM counters WHERE name = 'user_id'"
	setCounter    = "UPDATE counters SET value = ? WHERE name = 'user_id'"
	raiseCounter  = "UPDATE counters SET value = ?1 WHERE name = 'user_id' AND value < ?1"
)

type users struct{ s *Store }

var _ outbound.Users = users{}

// Add implements outbound.Users.
func (r users) Add(ctx context.Context, u *user.User) error {
	const op = "add user"
	if _, ok := keyOf(u.ID()); !ok {
		return fmt.Errorf("sqlite: %s: %q is no id", op, u.ID())
	}
	return r.s.write(ctx, op, func(q querier) error {
		if err := userTable.add(ctx, q, op, u); err != nil {
			return err
		}
		n, counted := u.ID().Integer()
		if !counted {
			return nil
		}
		_, err := q.ExecContext(ctx, raiseCounter, n)
		return translate(ctx, op, err)
	})
}

// Get implements outbound.Users.
func (r users) Get(ctx context.Context, id user.ID) (*user.User, error) {
	const op = "get user"
	key, ok := keyOf(id)
	if !ok {
		return nil, fmt.Errorf("sqlite: %s: %w", op, user.ErrNotFound)
	}
	return r.find(ctx, op, "id", key)
}

// ByEmail implements outbound.Users.
func (r users) ByEmail(ctx context.Context, key string) (*user.User, error) {
	return r.find(ctx, "get user by email", "email_key", key)
}

func (r users) find(ctx context.Context, op, column, value string) (u *user.User, err error) {
	err = r.s.read(ctx, func(q querier) error {
		u, err = userTable.get(ctx, q, op, column, value)
		return err
	})
	return u, err
}

// Update implements outbound.Users.
func (r users) Update(ctx context.Context, id user.ID, change func(*user.User) error) (*user.User, error) {
	const op = "update user"
	key, ok := keyOf(id)
	if !ok {
		return nil, fmt.Errorf("sqlite: %s: %w", op, user.ErrNotFound)
	}
	return userTable.update(ctx, r.s.write, op, key, change)
}

// Delete implements outbound.Users.
func (r users) Delete(ctx context.Context, id user.ID, check func(*user.User) error) error {
	const op = "delete user"
	key, ok := keyOf(id)
	if !ok {
		return fmt.Errorf("sqlite: %s: %w", op, user.ErrNotFound)
	}
	return r.s.write(ctx, op, func(q querier) error {
		u, err := userTable.get(ctx, q, op, "id", key)
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
		_, err = q.ExecContext(ctx, deleteUser, key)
		return translate(ctx, op, err)
	})
}

// List implements outbound.Users.
func (r users) List(ctx context.Context, q user.Query) (found []*user.User, err error) {
	err = r.s.read(ctx, func(c querier) error {
		found, err = listed(ctx, c, q)
		return translate(ctx, "list users", err)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Count implements outbound.Users.
func (r users) Count(ctx context.Context, f user.Filter) (n int, err error) {
	err = r.s.read(ctx, func(c querier) error {
		n, err = counted(ctx, c, f)
		return translate(ctx, "count users", err)
	})
	return n, err
}

type userIDs struct{ s *Store }

var _ outbound.UserIDs = userIDs{}

var errUsedUp = errors.New("sqlite: counted ids are used up")

// NewUserID implements outbound.UserIDs.
func (r userIDs) NewUserID(ctx context.Context) (id user.ID, err error) {
	const op = "count up the user id"
	err = r.s.write(ctx, op, func(q querier) error {
		var last int64
		if err := q.QueryRowContext(ctx, selectCounter).Scan(&last); err != nil {
			return translate(ctx, op, err)
		}
		if last == math.MaxInt64 {
			return errUsedUp
		}
		id = user.IntegerID(last + 1)
		_, err := q.ExecContext(ctx, setCounter, last+1)
		return translate(ctx, op, err)
	})
	if err != nil {
		return "", err
	}
	return id, nil
}
