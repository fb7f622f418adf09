package sqlite

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"roster/adapters/storage/sqltable"
	"roster/domain/audit"
)

// measured returns a Store with the statistics of 100,000 users and as many sessions. SQLite plans by statistics
// only, never by the size of the tables, so there are no rows.
func measured(t *testing.T) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roster.db")
	s, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"ANALYZE", // makes the table of statistics
		"DELETE FROM sqlite_stat1",
		`INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
			('users', 'sqlite_autoindex_users_1', '100000 1'), ('users', 'users_email_key', '100000 1'), ('users', 'users_number', '100000 1'),
			('users', 'users_joined_us', '100000 2 1'), ('users', 'users_email', '100000 1 1'),
			('users', 'users_first_name', '100000 100 1'), ('users', 'users_last_name', '100000 20 1'),
			('users', 'users_kind_id', '100000 50000 25000 1'),
			('users', 'users_kind_joined_us', '100000 50000 25000 2 1'), ('users', 'users_kind_email', '100000 50000 25000 1 1'),
			('users', 'users_kind_first_name', '100000 50000 25000 100 1'), ('users', 'users_kind_last_name', '100000 50000 25000 20 1'),
			('sessions', 'sqlite_autoindex_sessions_1', '100000 1'),
			('sessions', 'sessions_owner', '100000 4'), ('sessions', 'sessions_live', '90000 4 1 1'), ('sessions', 'sessions_expires', '100000 2'),
			('attempts', 'attempts', '100000 1'), ('attempts', 'attempts_expires', '100000 1 1'),
			('audit_events', 'sqlite_autoindex_audit_events_1', '100000 1'), ('audit_events', 'audit_events_at', '100000 2 1'),
			('audit_events', 'audit_events_kind', '100000 10000 2 1'),
			('audit_events', 'audit_events_actor', '80000 40 1 1'), ('audit_events', 'audit_events_actor_kind', '80000 40 10 1 1'),
			('audit_events', 'audit_events_target', '90000 50 1 1'), ('audit_events', 'audit_events_target_kind', '90000 50 10 1 1'),
			('counters', 'counters', '1 1'), ('user_counts', 'user_counts', '4 2 1')`,
	} {
		if _, err := s.writer.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return reopened(t, path) // SQLite reads the statistics when it opens the file
}

// plan returns the plan of SQLite for a statement.
func plan(t *testing.T, s *Store, query string, args ...any) string {
	t.Helper()
	if len(args) == 0 { // the plan does not depend on the values
		for range strings.Count(query, "?") {
			args = append(args, "1")
		}
	}
	rows, err := s.reader.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		out = append(out, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "; ")
}

var (
	scans = regexp.MustCompile(`SCAN (users|sessions|attempts|audit_events)\b`)
	sorts = regexp.MustCompile(`USE TEMP B-TREE`)
)

// TestPlans shows that the statements that are not lists find their rows by an index.
func TestPlans(t *testing.T) {
	t.Run("without statistics", func(t *testing.T) { testPlans(t, opened(t)) }) // the service does not run ANALYZE
	t.Run("of 100,000 rows", func(t *testing.T) { testPlans(t, measured(t)) })
}

func testPlans(t *testing.T, s *Store) {
	t.Helper()
	check := func(index, query string) {
		t.Helper()
		if got := plan(t, s, query); scans.MatchString(got) || sorts.MatchString(got) || !strings.Contains(got, index) {
			t.Errorf("want %q\n%s\n%s", index, got, query)
		}
	}
	for query, index := range map[string]string{
		s.UserTable.SelectByID: "sqlite_autoindex_users_1 (id=?)", s.UserTable.SelectUnique: "users_email_key (email_key=?)",
		s.SessionTable.SelectByID:                     "sqlite_autoindex_sessions_1 (id=?)",
		dialect.OtherStaff:                            "USING COVERING INDEX users_kind_id (active=? AND staff=?)",
		s.UserTable.Update("search", "first_name"):    "sqlite_autoindex_users_1 (id=?)",
		s.SessionTable.Update("generation", "reason"): "sqlite_autoindex_sessions_1 (id=?)",
		s.UserTable.Delete:                            "sqlite_autoindex_users_1 (id=?)",
		s.DeleteSessionsOf:                            "sessions_owner (owner=?)",
		s.SweepSessions:                               "sessions_expires (expires<?)",
		s.SelectCounter:                               "SEARCH counters",
		s.CountUp:                                     "SEARCH counters",
		s.RaiseCounter:                                "SEARCH counters",
		sqltable.SelectPing:                           "SEARCH counters",
		s.UserTable.Insert:                            "",
		s.SessionTable.Insert:                         "",
	} {
		check(index, query)
	}
	counted, _ := s.CountEvents([]audit.Kind{audit.SignedIn, audit.Locked}, time.Unix(0, 0), time.Unix(1, 0))
	check("USING COVERING INDEX audit_events_kind (kind=? AND at>? AND at<?)", counted)
	// The queries of the triggers.
	for query, index := range map[string]string{
		"SELECT coalesce(max(number), 0) + 1 FROM users":                          "SEARCH users USING COVERING INDEX users_number",
		"SELECT number, search FROM user_texts WHERE number = ?":                  "SEARCH users USING INDEX users_number (number=?)",
		"UPDATE user_counts SET value = value + 1 WHERE active = ? AND staff = ?": "SEARCH user_counts USING PRIMARY KEY (active=? AND staff=?)",
	} {
		check(index, query)
	}
}
