package cluster_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"roster/test/support/process"
	"roster/test/support/testenv"
)

// outage is a storage server that can be stopped and started.
type outage struct {
	url         string
	stop, start func()
}

var outages = map[string]func(t *testing.T) outage{
	"postgres": func(t *testing.T) outage {
		s := testenv.NewPostgresServer(t)
		return outage{s.Database(t), func() { s.Stop(t) }, func() { s.Start(t) }}
	},
	"mongodb": func(t *testing.T) outage {
		s := testenv.NewMongoServer(t)
		return outage{s.Database(), func() { s.Stop(t) }, func() { s.Start(t) }}
	},
}

// patience bounds a hang; answers come far sooner.
const patience = 30 * time.Second

// While the storage is down every request gets 503 with Retry-After: none hangs, none is a 500 or a 401. Once it is
// back, the service works without a restart.
func TestStorageOutage(t *testing.T) {
	for name, begin := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each has servers of its own, and waits for them
			o := begin(t)
			s := process.Start(t, map[string]string{"ROSTER_DATABASE": o.url, "ROSTER_SIGNING_KEY": secret, "ROSTER_ROTATE_REFRESH_TOKENS": "false"})
			id := register(t, s, "a@example.com")
			access, refresh := signIn(t, s, "a@example.com")
			_, other := signIn(t, s, "a@example.com")
			requests := map[string]func() answer{
				"read": func() answer { return ask(t, s, http.MethodGet, "/api/users/"+id+"/", access, nil) },
				"change": func() answer {
					return ask(t, s, http.MethodPatch, "/api/users/"+id+"/", access, map[string]string{"first_name": "B"})
				},
				"refresh": func() answer {
					return ask(t, s, http.MethodPost, "/api/token/refresh/", "", map[string]string{"refresh": refresh})
				},
				"register": func() answer { return ask(t, s, http.MethodPost, "/api/users/", "", member("b@example.com")) },
				"sign in": func() answer {
					return ask(t, s, http.MethodPost, "/api/token/", "", map[string]string{"email": "a@example.com", "password": password})
				},
				// A sign-out that is not stored fails: the session continues, and can be ended later.
				"sign out": func() answer {
					return ask(t, s, http.MethodPost, "/api/token/blacklist/", "", map[string]string{"refresh": other})
				},
				"ready": func() answer { return ask(t, s, http.MethodGet, "/readyz", "", nil) },
			}

			// Requests are sent during the stop, and then, with the storage down, one of each kind.
			done := make(chan struct{})
			var load sync.WaitGroup
			for range 8 {
				load.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
						}
						if a := requests["read"](); a.status != http.StatusOK && a.status != http.StatusServiceUnavailable {
							t.Errorf("under load: %+v", a)
							return
						}
					}
				})
			}
			o.stop()
			for what, request := range requests {
				if a := request(); a.status != http.StatusServiceUnavailable || what != "ready" && a.retryAfter < 1 {
					t.Errorf("%s while the storage is away: %+v", what, a)
				}
			}
			if a := ask(t, s, http.MethodGet, "/livez", "", nil); a.status != http.StatusOK {
				t.Errorf("livez: %+v", a)
			}
			o.start()
			if err := until(func() bool { return requests["ready"]().status == http.StatusOK }); err != nil {
				t.Fatal(err)
			}
			close(done)
			load.Wait()
			for what, request := range requests {
				if a := request(); a.status != http.StatusOK && a.status != http.StatusCreated {
					t.Errorf("%s once it is back: %+v", what, a)
				}
			}
			if a := ask(t, s, http.MethodPost, "/api/token/refresh/", "", map[string]string{"refresh": other}); a.status != http.StatusUnauthorized {
				t.Errorf("refresh after the sign-out: %+v", a)
			}
		})
	}
}

// until polls a condition.
func until(yes func() bool) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if yes() {
			return nil
		}
	}
	return fmt.Errorf("not within %v", patience)
}
