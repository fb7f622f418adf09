package sqlite

import (
	"context"
	"strconv"
	"strings"
	"testing"
)

// crowd returns the statement that adds users from 1 on to the table of the first schema. Each thousandth is
// inactive, each five hundredth is staff, and the emails of the last tenth have another domain.
func crowd(users int) string {
	return strings.ReplaceAll(`WITH RECURSIVE
	n (i) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1),
	u (i, id, email, first_name, last_name) AS (SELECT i, printf('%019d', i),
		printf('user%d@%s', i, iif(i > ?1 - ?1 / 10, 'late.example', 'example.com')), 'First' || (i % 1000), 'Last' || (i * 7919 % 5000) FROM n)
	INSERT INTO users (id, email, email_key, first_name, last_name, active, staff, password, joined, version, search)
	SELECT id, email, email, first_name, last_name, i % 1000 <> 0, i % 500 = 0, hex(zeroblob(48)), 1700000000000 + i * 7919 % 100000, 1,
		lower(email || char(10) || first_name || char(10) || last_name) FROM u`, "?1", strconv.Itoa(users))
}

// crowded returns a started Store with as many users.
func crowded(t testing.TB, users int) *Store {
	t.Helper()
	return reopened(t, former(t, 1, crowd(users)))
}

// reopened returns a started Store on the file at path.
func reopened(t testing.TB, path string) *Store {
	t.Helper()
	s, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}
