package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
	"roster/test/support/testenv"
)

// started returns a Store on a new database.
func started(t *testing.T, sharded bool) *Store {
	t.Helper()
	u, err := url.Parse(testenv.MongoDB(t))
	if err != nil {
		t.Fatal(err)
	}
	if sharded {
		q := u.Query()
		q.Set("sharded", "true")
		u.RawQuery = q.Encode()
	}
	s, err := New(u, Options{})
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

// TestPageOfBrokenDocuments breaks one document of each kind. The error names the document.
func TestPageOfBrokenDocuments(t *testing.T) {
	s := started(t, false)
	at := time.UnixMilli(1700000000000).UTC()
	a := s.Archive()
	for what, put := range map[string]func() ([]error, error){
		"users": func() ([]error, error) { return a.Users().Put(t.Context(), []user.Snapshot{putAs("1"), putAs("42")}) },
		"sessions": func() ([]error, error) {
			return a.Sessions().Put(t.Context(), []session.Snapshot{{ID: "the session", User: "1", Created: at, Expires: at, Version: 1}})
		},
		"attempts": func() ([]error, error) {
			return a.Attempts().Put(t.Context(), []lockout.Snapshot{{Subject: "the subject", Failures: 1, Last: at, Expires: at, Version: 1}})
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
		collection, id string
		spoil          bson.D
		page           func() error
	}{
		{"users", user.ID("42").SortKey(), is("email", ""), func() error { _, err := a.Users().Page(t.Context(), "", 9); return err }},
		{"sessions", "the session", is("user", ""), func() error { _, err := a.Sessions().Page(t.Context(), "", 9); return err }},
		{"attempts", "the subject", is("version", int64(0)), func() error { _, err := a.Attempts().Page(t.Context(), "", 9); return err }},
		{"audit_events", "the event", is("kind", ""), func() error { _, err := a.Events().Page(t.Context(), "", 9); return err }},
	} {
		if err := c.page(); err != nil {
			t.Errorf("%s before: %v", c.collection, err)
		}
		if _, err := s.collection(c.collection).UpdateOne(t.Context(), is("_id", c.id), is("$set", c.spoil)); err != nil {
			t.Fatal(err)
		}
		if err := c.page(); err == nil || fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), fmt.Sprintf("%q", c.id)) {
			t.Errorf("%s afterwards: %v, want an error with %q", c.collection, err, c.id)
		}
	}
}

// TestPutClaims shows that a put claims emails as an add does: a fresh claim of another user refuses it, a stale one does
// not, and a refused user leaves no claim.
func TestPutClaims(t *testing.T) {
	s := started(t, true)
	a := claims{s}
	for id, at := range map[user.ID]time.Time{"2": time.Now(), "3": time.Now().Add(-2 * fresh)} {
		if err := a.insert(t.Context(), "x", newClaim(putAs(id).EmailKey, user.ID("99").SortKey(), at)); err != nil {
			t.Fatal(err)
		}
	}
	refused, err := s.Archive().Users().Put(t.Context(), []user.Snapshot{putAs("1"), putAs("2"), putAs("3")})
	if err != nil || refused[0] != nil || !errors.Is(refused[1], user.ErrEmailTaken) || refused[2] != nil {
		t.Fatalf("Put: %v, %v", refused, err)
	}
	for id, holder := range map[user.ID]user.ID{"1": "1", "2": "99", "3": "3"} {
		if c, err := a.read(t.Context(), "x", putAs(id).EmailKey); err != nil || c.User != holder.SortKey() || c.Token == "" {
			t.Errorf("the claim on %s: %+v, %v; want that of %s", putAs(id).EmailKey, c, err, holder)
		}
	}
	if last, err := s.Archive().LastUserID(t.Context()); err != nil || last != 3 {
		t.Errorf("LastUserID: %d, %v; want 3", last, err)
	}
}

func putAs(id user.ID) user.Snapshot {
	email := string(id) + "@example.com"
	return user.Snapshot{ID: id, Email: email, EmailKey: email, Joined: time.UnixMilli(1700000000000).UTC(), Version: 1}
}
