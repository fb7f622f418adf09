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

	"roster/adapters/storage/sqltable"
	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// TestPageOfBrokenRows breaks one row of each kind in a way that the database permits. The error names the row.
func TestPageOfBrokenRows(t *testing.T) {
	s := opened(t)
	at := time.UnixMilli(1700000000000).UTC()
	a := s.Archive()
	for what, put := range map[string]func() ([]error, error){
		"users": func() ([]error, error) {
			return a.Users().Put(t.Context(), []user.Snapshot{sampleUser(t, "1").Snapshot(), sampleUser(t, "42").Snapshot()})
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

// TestPutOfUnstorableText puts texts that the server cannot store. They are refused before anything is stored.
func TestPutOfUnstorableText(t *testing.T) {
	s := opened(t)
	for _, text := range []string{"a\x00b", "a\xffb"} {
		bad := sampleUser(t, "42").Snapshot()
		bad.FirstName = text
		_, err := s.Archive().Users().Put(t.Context(), []user.Snapshot{sampleUser(t, "1").Snapshot(), bad})
		if err == nil || !strings.Contains(err.Error(), "it holds NUL") || !strings.Contains(err.Error(), "42") {
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

// meddling is the database, but for what another instance does before a statement of a transaction, and for how many
// rows the statement then writes.
type meddling struct {
	*Store
	before func(query string) (none bool)
}

func (m meddling) Write(ctx context.Context, op string, mode sqltable.Mode, f sqltable.Work) error {
	return m.Store.Write(ctx, op, mode, func(ctx context.Context, q sqltable.Querier) error { return f(ctx, meddler{q, m.before}) })
}

type meddler struct {
	sqltable.Querier
	before func(query string) (none bool)
}

func (m meddler) QueryEach(ctx context.Context, query string, args []any, f func(sqltable.Row) error) error {
	m.before(query)
	return m.Querier.QueryEach(ctx, query, args, f)
}

func (m meddler) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if m.before(query) {
		return 0, nil
	}
	return m.Querier.Exec(ctx, query, args...)
}

// TestPutOfRecordsJustDeleted removes the user that was in the way before it is looked for.
func TestPutOfRecordsJustDeleted(t *testing.T) {
	s := opened(t)
	add := func() {
		if err := s.Users().Add(t.Context(), sampleUser(t, "1")); err != nil {
			t.Error(err)
		}
	}
	remove := func() {
		if err := s.Users().Delete(t.Context(), "1", func(*user.User) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	us := []user.Snapshot{sampleUser(t, "1").Snapshot(), sampleUser(t, "2").Snapshot()}
	looking, _ := selectAny("users", "id", nil)
	put := func(before func()) ([]error, error) {
		tables := sqltable.New(meddling{s, func(query string) bool {
			if query == looking {
				before()
			}
			return false
		}}, &dialect)
		return tables.Archive().Users().Put(t.Context(), us)
	}
	add()
	if refused, err := put(func() {}); err != nil || !errors.Is(refused[0], outbound.ErrKeyTaken) || refused[1] != nil {
		t.Errorf("while the user is there: %v, %v", refused, err)
	}
	us = us[:1]
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
	us := make([]user.Snapshot, dialect.RowsPerTransaction)
	for i := range us {
		us[i] = sampleUser(t, user.IntegerID(int64(i+1))).Snapshot()
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
