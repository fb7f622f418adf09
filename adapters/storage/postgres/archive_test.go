package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// TestPageOfBrokenRows spoils one row of each kind that its columns' rules leave room for, and expects to
// be told which.
func TestPageOfBrokenRows(t *testing.T) {
	s := opened(t)
	at := time.UnixMilli(1700000000000).UTC()
	a := s.Archive()
	for what, put := range map[string]func() ([]error, error){
		"users": func() ([]error, error) {
			return a.Users().Put(t.Context(), []user.Snapshot{somebody(t, "1").Snapshot(), somebody(t, "42").Snapshot()})
		},
		"sessions": func() ([]error, error) {
			return a.Sessions().Put(t.Context(), []session.Snapshot{{ID: "the session", User: "1", Created: at, Expires: at, Version: 1}})
		},
		"events": func() ([]error, error) {
			return a.Events().Put(t.Context(), []audit.Event{{ID: "the event", At: at, Kind: audit.SignedIn}})
		},
	} {
		if refused, err := put(); err != nil || errors.Join(refused...) != nil {
			t.Fatalf("%s: %v, %v", what, refused, err)
		}
	}
	for _, c := range []struct {
		spoil, key string
		page       func() error
	}{
		{"UPDATE users SET email = '' WHERE id LIKE '%42'", "0000000000000000042", func() error { _, err := a.Users().Page(t.Context(), "", 9); return err }},
		{"UPDATE sessions SET owner = ''", "the session", func() error { _, err := a.Sessions().Page(t.Context(), "", 9); return err }},
		{"UPDATE audit_events SET kind = ''", "the event", func() error { _, err := a.Events().Page(t.Context(), "", 9); return err }},
	} {
		if err := c.page(); err != nil {
			t.Errorf("before %s: %v", c.spoil, err)
		}
		if _, err := s.pool.Exec(t.Context(), c.spoil); err != nil {
			t.Fatal(err)
		}
		if err := c.page(); err == nil || fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), fmt.Sprintf("%q", c.key)) {
			t.Errorf("after %s: %v, want an error with %q", c.spoil, err, c.key)
		}
	}
}

// TestPutOfUnstorableText has the server's own limits told before anything is stored.
func TestPutOfUnstorableText(t *testing.T) {
	s := opened(t)
	for _, text := range []string{"a\x00b", "a\xffb"} {
		bad := somebody(t, "42").Snapshot()
		bad.FirstName = text
		_, err := s.Archive().Users().Put(t.Context(), []user.Snapshot{somebody(t, "1").Snapshot(), bad})
		if !errors.Is(err, errNotStorable) || !strings.Contains(err.Error(), "42") {
			t.Errorf("Put of a user called %q: %v", text, err)
		}
		if _, err := s.Archive().Users().Page(t.Context(), text, 9); err != nil {
			t.Errorf("Page after %q: %v", text, err)
		}
	}
	if us, err := s.Archive().Users().Page(t.Context(), "", 9); err != nil || len(us) != 0 {
		t.Errorf("%d users are stored, %v", len(us), err)
	}
	at := time.UnixMilli(1700000000000).UTC()
	x := session.Snapshot{ID: "a", User: "1", Created: at, Expires: at, UserAgent: "a\x00b", Version: 1}
	if refused, err := s.Archive().Sessions().Put(t.Context(), []session.Snapshot{x}); err != nil || refused[0] != nil {
		t.Errorf("Put of a session whose client sent NUL: %v, %v", refused, err)
	}
}

// meddler is a transaction in which somebody else does something before each look for what is there.
type meddler struct {
	querier
	before func()
}

func (m meddler) Query(ctx context.Context, query string, args ...any) (pgx.Rows, error) {
	if query == userTable.selectAny("id") {
		m.before()
	}
	return m.querier.Query(ctx, query, args...)
}

// TestPutOfWhatHasJustGone removes the user who was in the way before it can be told who that was.
func TestPutOfWhatHasJustGone(t *testing.T) {
	s := opened(t)
	add := func() {
		if err := s.Users().Add(t.Context(), somebody(t, "1")); err != nil {
			t.Error(err)
		}
	}
	remove := func() {
		if err := s.Users().Delete(t.Context(), "1", func(*user.User) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	rows := [][]any{userTable.row(somebody(t, "1")), userTable.row(somebody(t, "2"))}
	put := func(before func()) (refused []error, err error) {
		err = s.write(t.Context(), "x", func(ctx context.Context, q querier) (err error) {
			refused, err = userTable.addNew(ctx, meddler{q, before}, "x", rows)
			return err
		})
		return refused, err
	}
	add()
	if refused, err := put(func() {}); err != nil || !errors.Is(refused[0], outbound.ErrKeyTaken) || refused[1] != nil {
		t.Errorf("while the user is there: %v, %v", refused, err)
	}
	rows = rows[:1]
	if refused, err := put(remove); err != nil || refused[0] != nil {
		t.Errorf("the user went: %v, %v; want another stored", refused, err)
	}
	if _, err := s.Users().Get(t.Context(), "1"); err != nil {
		t.Errorf("Get: %v", err)
	}
}

// TestPutsCrossing puts the same users twice at once in opposite orders: neither stops the other, and
// each user is stored once.
func TestPutsCrossing(t *testing.T) {
	s := opened(t)
	us := make([]user.Snapshot, putAtOnce)
	for i := range us {
		us[i] = somebody(t, user.IntegerID(int64(i+1))).Snapshot()
	}
	back := slices.Clone(us)
	slices.Reverse(back)
	var stored atomic.Int64
	var wg sync.WaitGroup
	for _, records := range [][]user.Snapshot{us, back} {
		wg.Go(func() {
			refused, err := s.Archive().Users().Put(t.Context(), records)
			if err != nil {
				t.Error(err)
			}
			for _, why := range refused {
				if why == nil {
					stored.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := int(stored.Load()); n != len(us) {
		t.Errorf("%d were stored, want %d", n, len(us))
	}
	if n, err := s.Users().Count(t.Context(), user.Filter{}); err != nil || n != len(us) {
		t.Errorf("%d are counted, %v; want %d", n, err, len(us))
	}
}
