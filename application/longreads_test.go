package application_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"roster/application"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// slowLists delays each list and count until release is closed or the context ends.
type slowLists struct {
	outbound.Users
	release chan struct{}

	mu      sync.Mutex
	running []user.Query
}

func (u *slowLists) hold(ctx context.Context, q user.Query) error {
	u.mu.Lock()
	u.running = append(u.running, q)
	u.mu.Unlock()
	select {
	case <-u.release:
	case <-ctx.Done():
	}
	return ctx.Err()
}

func (u *slowLists) List(ctx context.Context, q user.Query) ([]*user.User, error) {
	return nil, u.hold(ctx, q)
}

func (u *slowLists) Count(ctx context.Context, f user.Filter) (int, error) {
	return 0, u.hold(ctx, user.Query{Filter: f})
}

func (u *slowLists) began() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.running)
}

// searches is a list of users with at most two long reads, on a storage that delays each.
type searches struct {
	*application.Accounts
	*slowLists
	wg sync.WaitGroup
}

func newSearches(t *testing.T) (s *searches, ann, bob, cem inbound.Actor) {
	service := fixture.New(t, fixture.Standard())
	s = &searches{slowLists: &slowLists{Users: service.Users, release: make(chan struct{})}}
	ports, settings := service.Ports, fixture.Standard()
	ports.Users, settings.LongReads = s.slowLists, 2
	s.Accounts = application.NewAccounts(ports, settings, application.NewGuard(ports, settings))
	actor := func(email string) inbound.Actor { return inbound.Actor{User: service.Add(t, email)} }
	return s, actor("ann@example.com"), actor("bob@example.com"), actor("cem@example.com")
}

// begin starts lists or, for a query with an offset, counts.
func (s *searches) begin(ctx context.Context, t *testing.T, by inbound.Actor, q inbound.UserQuery, times int) {
	for i := range times {
		s.wg.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = s.Accounts.List(ctx, by, q)
			} else {
				_, err = s.Accounts.Count(ctx, by, q)
			}
			if !errors.Is(err, ctx.Err()) {
				t.Errorf("got %v, want %v", err, ctx.Err())
			}
		})
	}
	synctest.Wait() // each runs or waits
}

func search(param string) inbound.UserQuery {
	return inbound.UserQuery{Query: user.Query{Filter: user.Filter{Terms: user.Terms(param)}, Limit: 20}}
}

// One user's searches run one after the other. Searches of other users, and other requests, are not delayed.
func TestOneUsersSearchesDoNotDelayOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ann, bob, cem := newSearches(t)
		for i, begin := range []struct {
			by    inbound.Actor
			q     inbound.UserQuery
			times int
			want  int // total number of calls of the storage
		}{
			{ann, search("a e m"), 16, 1},
			{bob, search("zz"), 16, 2},
			{cem, search("zz"), 16, 2}, // at most two of all users
			{cem, inbound.UserQuery{Query: user.Query{Order: user.Ordering("email"), Limit: 20}}, 2, 4},
			{ann, inbound.UserQuery{Query: user.Query{Order: user.Ordering("email"), Limit: 20}}, 2, 6},
		} {
			s.begin(t.Context(), t, begin.by, begin.q, begin.times)
			if got := s.began(); got != begin.want {
				t.Fatalf("step %d: %d lists and counts have begun, want %d", i, got, begin.want)
			}
		}
		close(s.release)
		s.wg.Wait()
		if got, want := s.began(), 3*16+2*2; got != want {
			t.Errorf("%d lists and counts were made, want %d", got, want)
		}
	})
}

// All long reads are limited, not only searches.
func TestLongReadsAreLimited(t *testing.T) {
	order := user.Ordering("last_name,first_name")
	for name, q := range map[string]user.Query{
		"search": search("a").Query, "several orders": {Order: order}, "far page": {Order: user.Ordering("id"), Offset: 100_000},
		"active": {Filter: user.Filter{Active: new(true)}}, "staff": {Filter: user.Filter{Staff: new(false)}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, ann, _, _ := newSearches(t)
				for range 3 {
					s.begin(t.Context(), t, ann, inbound.UserQuery{Query: q}, 1)
				}
				if got := s.began(); got != 1 {
					t.Errorf("%d of one user at once, want 1", got)
				}
				close(s.release)
				s.wg.Wait()
			})
		})
	}
}

// A request that is cancelled while its search waits releases its slot.
func TestCancelledSearchReleasesItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ann, bob, cem := newSearches(t)
		ctx, cancel := context.WithCancel(t.Context())
		for _, by := range []inbound.Actor{ann, bob, cem} {
			s.begin(ctx, t, by, search("a"), 4) // some run, some wait for their user, cem's for the total
		}
		cancel()
		s.wg.Wait()
		before := s.began()
		s.begin(t.Context(), t, cem, search("b"), 1)
		s.begin(t.Context(), t, ann, search("b"), 1)
		if got := s.began() - before; got != 2 {
			t.Errorf("%d of 2 searches run after others were given up", got)
		}
		if last := s.running[len(s.running)-1]; !slices.Equal(last.Terms, user.Terms("b")) {
			t.Errorf("the storage was asked for %q", last.Terms)
		}
		close(s.release)
		s.wg.Wait()
	})
}
