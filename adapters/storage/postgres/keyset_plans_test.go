package postgres

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
)

// sorted finds in a plan what is not read in the order of an index.
var sorted = regexp.MustCompile(`\bSort  |->  (Incremental )?Sort\b|Bitmap|Gather`)

// eventful returns a Store with 100,000 sessions, events and records of failures, for which the server
// has statistics. User 7 has a great many of each.
func eventful(t *testing.T) *Store {
	t.Helper()
	s := opened(t)
	c, err := pgx.Connect(t.Context(), s.config.ConnString()) // without the store's time limit
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, statement := range []string{
		`INSERT INTO sessions SELECT md5(n::text), CASE n % 10 WHEN 0 THEN lpad('7', 19, '0') ELSE lpad((n * 7919 % 30000)::text, 19, '0') END,
			1700000000000 + n * 7919 % 100000 * 1000, 1800000000000 + n * 7919 % 100000 * 1000, 0, NULL, NULL, '', '', '', 1, NULL, n % 4
			FROM generate_series(1, 100000) AS n`,
		`INSERT INTO attempts SELECT md5(n::text), 1, 1, 1700000000000 + n * 7919 % 100000 * 1000, 1 FROM generate_series(1, 100000) AS n`,
		`INSERT INTO audit_events SELECT md5(n::text), 1700000000000 + n * 7919 % 100000 * 1000,
			CASE WHEN n % 5 = 0 THEN 'sign_in_failed' WHEN n % 1000 = 1 THEN 'user_deleted' ELSE 'signed_in' END,
			CASE WHEN n % 5 = 0 THEN '' WHEN n % 11 = 0 THEN '7' ELSE (n * 7919 % 30000)::text END,
			CASE WHEN n % 25 = 0 THEN '' WHEN n % 13 = 0 THEN '7' ELSE (n * 7919 % 30000)::text END,
			'', 'api', '', '', '', '' FROM generate_series(1, 100000) AS n`,
		`INSERT INTO mails SELECT 'm' || md5(n::text), 'password_reset', '', 'a', (n * 7919 % 5000)::text, '', 0, '', 1700000000000,
			CASE WHEN n % 100 = 0 THEN 'waiting' ELSE 'sent' END, CASE WHEN n % 100 = 0 THEN 1700000000000 + n END, 1,
			CASE WHEN n % 100 > 0 THEN 1700000000000 + n * 7919 % 100000 * 1000 END, '', 1 FROM generate_series(1, 100000) AS n`,
		"VACUUM ANALYZE mails", "VACUUM ANALYZE sessions", "VACUUM ANALYZE attempts", "VACUUM ANALYZE audit_events",
	} {
		if _, err := c.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return s
}

// TestKeysetPlans shows that lists of sessions and events, and all that is asked about failed sign-ins,
// go to what they return by one index, in its order.
func TestKeysetPlans(t *testing.T) {
	s := eventful(t)
	check := func(plan string, walks int, index, condition string) {
		t.Helper()
		if scans.MatchString(plan) || sorted.MatchString(plan) || strings.Count(plan, "using "+index+" on") != walks || strings.Count(plan, condition) != walks {
			t.Errorf("want %d of %s with %q\n%s", walks, index, condition, plan)
		}
	}
	now := time.UnixMilli(1700050000000)
	for _, back := range []bool{false, true} {
		beyond := map[bool]string{false: "ROW(at, id) < ROW(", true: "ROW(at, id) > ROW("}[back]
		for _, epoch := range []int64{0, 3} {
			q := session.Query{Owner: "7", LiveAt: now, Epoch: epoch, Back: back, Limit: 20}
			query, args := s.SessionList(q, q.Owner.SortKey())
			check(plan(t, s, query, args...), 1, "sessions_live", "Index Cond: (owner = ")
			q.Skip = 99
			query, args = s.SessionList(q, q.Owner.SortKey())
			check(plan(t, s, query, args...), 1, "sessions_live", "Index Cond: (owner = ")
			q.From = &session.Position{Created: now, ID: "x"}
			query, args = s.SessionList(q, q.Owner.SortKey())
			check(plan(t, s, query, args...), 1, "sessions_live", strings.Replace(beyond, "at", "created", 1))
		}
		for _, c := range []struct {
			index, condition string
			f                audit.Filter
		}{
			{"audit_events_at", "audit_events_at", audit.Filter{}},
			{"audit_events_kind", "(kind = ", audit.Filter{Kinds: []audit.Kind{audit.Deleted}}},
			{"audit_events_kind", "(kind = ", audit.Filter{Kinds: []audit.Kind{audit.Deleted, audit.SignedIn, audit.SignInFailed}}},
			{"audit_events_kind", "(kind = ", audit.Filter{Kinds: audit.Kinds()}},
			{"audit_events_actor", "(actor = ", audit.Filter{Actor: "7"}},
			{"audit_events_actor_kind", "(kind = ", audit.Filter{Actor: "7", Kinds: []audit.Kind{audit.SignedIn, audit.Deleted}}},
			{"audit_events_target", "(target = ", audit.Filter{User: "7"}},
			{"audit_events_target_kind", "(kind = ", audit.Filter{User: "7", Kinds: []audit.Kind{audit.SignedIn, audit.SignInFailed}}},
		} {
			walks := max(1, len(c.f.Kinds))
			query, args := s.EventList(s.EventTable, audit.Query{Filter: c.f, Back: back, Limit: 20})
			check(plan(t, s, query, args...), walks, c.index, c.condition)
			query, args = s.EventList(s.EventTable, audit.Query{Filter: c.f, Back: back, Limit: 20, From: &audit.Position{At: now, ID: "x"}})
			check(plan(t, s, query, args...), walks, c.index, beyond)
			c.f.Since, c.f.Until = now.Add(-time.Hour), now.Add(time.Hour)
			query, args = s.EventList(s.EventTable, audit.Query{Filter: c.f, Back: back, Limit: 20})
			check(plan(t, s, query, args...), walks, c.index, "(ROW(at, id) > ROW('1700046400000'::bigint, ''::text)) AND (ROW(at, id) < ROW('1700053600000'::bigint, ''::text))")
		}
		// All events of a user with few may be read and sorted, and likewise those of an actor and a user.
		for _, f := range []audit.Filter{
			{Actor: "123"}, {User: "123"}, {Actor: "123", User: "7"}, {Actor: "7", User: "123"}, {Actor: "7", User: "7", Kinds: audit.Kinds()},
			{User: "123", Kinds: audit.Kinds()},
		} {
			query, args := s.EventList(s.EventTable, audit.Query{Filter: f, Back: back, Limit: 20})
			got := plan(t, s, query, args...)
			if scans.MatchString(got) || !strings.Contains(got, "audit_events_actor") && !strings.Contains(got, "audit_events_target") {
				t.Errorf("%+v: want an index by actor or user\n%s", f, got)
			}
		}
	}
	for query, index := range map[string]string{
		s.SessionTable.SelectPage: "sessions_id", s.AttemptTable.SelectPage: "attempts_id", s.EventTable.SelectPage: "audit_events_id",
		s.MailTable.SelectPage: "mails_id",
	} {
		check(plan(t, s, query, "4", int64(1000)), 1, index, "Index Cond: (id > ")
	}
	counted, kinds := s.CountEvents([]audit.Kind{audit.SignInFailed, audit.Deleted}, time.UnixMilli(1700000020000), time.UnixMilli(1700000050000))
	if got := plan(t, s, counted, kinds...); scans.MatchString(got) || !strings.Contains(got, "Index Only Scan using audit_events_kind on") {
		t.Errorf("want the index by kind and time alone\n%s", got)
	}
	check(plan(t, s, s.SelectDue, int64(1700000050000), int64(20)), 1, "mails_due", "Index Cond: (due <= ")
	check(plan(t, s, s.SelectInvited, "4", int64(20)), 1, "users_invited", "Index Cond: (id > ")
	query, args := s.MailList(mail.Query{Before: "m5", Limit: 20})
	check(plan(t, s, query, args...), 1, "mails_id", "Index Cond: (id < ")
	// The few mails to an address may be sorted.
	if got := plan(t, s, s.SelectBegun, "7", int64(1700050000000), int64(2000)); scans.MatchString(got) || !strings.Contains(got, "mails_begun") {
		t.Errorf("want an index by address\n%s", got)
	}
	selectAnyOf := func(table string) string { query, _ := selectAny(table, "id", nil); return query }
	for query, index := range map[string]string{
		s.AttemptTable.SelectByID:                         "using attempts_id on attempts",
		s.AttemptTable.SelectToSet:                        "using attempts_id on attempts",
		"UPDATE attempts SET failures = $1 WHERE id = $2": "using attempts_id on attempts", // as save makes them
		selectAnyOf("sessions"):                           "using sessions_id on sessions",
		selectAnyOf("attempts"):                           "using attempts_id on attempts",
		selectAnyOf("audit_events"):                       "using audit_events_id on audit_events",
		s.DeleteAttemptsOf:                                "on attempts_id",
		s.SweepAttempts:                                   "using attempts_expires on attempts",
		s.SweepMails:                                      "using mails_state_finished on mails",
		s.MailTable.SelectByID:                            "using mails_id on mails",
		s.SweepEvents:                                     "using audit_events_at on audit_events",
		s.DeleteSessionsOf:                                "sessions_owner",
		s.SweepSessions:                                   "using sessions_expires on sessions",
	} {
		if got := generic(t, s, query); scans.MatchString(got) || sorts.MatchString(got) || !strings.Contains(got, index) {
			t.Errorf("want %s\n%s", index, got)
		}
	}
}
