package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
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
		if _, err := s.writer.ExecContext(t.Context(), c.spoil); err != nil {
			t.Fatal(err)
		}
		if err := c.page(); err == nil || fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), fmt.Sprintf("%q", c.key)) {
			t.Errorf("after %s: %v, want an error with %q", c.spoil, err, c.key)
		}
	}
}

// TestPutKeepsDerivedTables puts users, some of which are refused, and checks the tables that triggers maintain.
func TestPutKeepsDerivedTables(t *testing.T) {
	s := opened(t)
	var us []user.Snapshot
	for i := range 3 * dialect.RowsPerStatement {
		u := distinctUser(i + 1)
		u.Staff, u.Active = i%3 == 0, i%5 == 0
		us = append(us, u)
	}
	for _, records := range [][]user.Snapshot{us[:dialect.RowsPerStatement+7], us} {
		if _, err := s.Archive().Users().Put(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		sound(t, s, fmt.Sprintf("after %d", len(records)))
	}
	us[0].Staff = !us[0].Staff
	us[1].ID, us[1].Email = "5000", "other"
	refused, err := s.Archive().Users().Put(t.Context(), us[:2])
	if err != nil || refused[0] == nil || refused[1] == nil {
		t.Errorf("the same once more: %v, %v", refused, err)
	}
	sound(t, s, "when all were refused")
}
