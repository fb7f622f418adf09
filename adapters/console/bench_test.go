package console

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/domain/audit"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// fullApp is an application whose lists are always full.
type fullApp struct{ fakeApp }

func (fullApp) SignInStatus(context.Context, inbound.Actor, user.ID) (inbound.SignInStatus, error) {
	return inbound.SignInStatus{Failures: 3}, nil
}

// accounts has the list of users, since Sessions has a List too.
type accounts struct{ *fullApp }

func (accounts) List(_ context.Context, _ inbound.Actor, q inbound.UserQuery) (users []*user.User, err error) {
	for i := range q.Limit {
		users = append(users, person(user.IntegerID(int64(i+1)), fmt.Sprintf("user%d@example.com", i), false))
	}
	return users, nil
}

type sessions struct{ inbound.Sessions }

func (sessions) List(_ context.Context, _ inbound.Actor, q session.Query) (found []*session.Session, err error) {
	for i := range q.Limit {
		found = append(found, session.Start(session.ID(fmt.Sprintf("%024d", i)), q.Owner, 0, time.Unix(1, 0), session.Rules{}, session.Client{UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}))
	}
	return found, nil
}

type trail struct{ inbound.Trail }

func (trail) Events(_ context.Context, _ inbound.Actor, read func() (audit.Query, error)) (events []audit.Event, err error) {
	q, err := read()
	for range q.Limit {
		events = append(events, audit.Event{ID: "1", At: time.Unix(1, 0), Kind: audit.SignInFailed, User: q.User, Address: "192.0.2.1", UserAgent: "curl/8"})
	}
	return events, err
}

// BenchmarkPages measures what a page with full lists costs beside the storage, which does not depend on how many users there
// are.
func BenchmarkPages(b *testing.B) {
	app := &fullApp{}
	h, err := New(Ports{Browser: app, Accounts: accounts{app}, Sessions: sessions{}, Trail: trail{}}, Settings{}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{"users": usersPath, "user": usersPath + "2/", "new": newUserPath} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "http://localhost"+Path+path, http.NoBody)
				r.RemoteAddr = "127.0.0.1:1"
				r.AddCookie(&http.Cookie{Name: "roster", Value: "old"})
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("%s: status %d", path, w.Code)
				}
			}
		})
	}
}
