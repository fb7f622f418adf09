package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/throttled/throttled/v2"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/lockout"
	"roster/ports/inbound"
)

// Rate is how many requests of one client may come at once, and again in each period after: one each
// Period/Requests. The zero value is no limit.
type Rate struct {
	Requests int
	Period   time.Duration
}

// Throttling is how often clients may ask, by scope as in DRF. The scopes add up: a request counts in
// each that it belongs to. What is counted is counted by this process alone.
type Throttling struct {
	Anon     Rate // requests with nobody signed in, by client address
	User     Rate // requests of somebody signed in, by user
	Token    Rate // requests to the token endpoints, by client address
	Register Rate // what asks whether an address is taken, by client address; staff do not count
}

// The scopes' names: of limits in headers, and of resources in the table of routes (DRF's
// throttle_scope).
const (
	scopeAnon     = "anon"
	scopeUser     = "user"
	scopeToken    = "token"
	scopeRegister = "register"
)

// throttle is one limit in force.
type throttle struct {
	scope   string
	rate    Rate
	limiter *throttled.GCRARateLimiterCtx
	client  func(r *http.Request, res resource, a inbound.Actor) string // "": the request does not count
}

func newThrottles(t Throttling, now func() time.Time) ([]throttle, error) {
	var out []throttle
	for _, row := range []struct {
		scope  string
		rate   Rate
		client func(r *http.Request, res resource, a inbound.Actor) string
	}{
		{scopeAnon, t.Anon, func(r *http.Request, _ resource, a inbound.Actor) string {
			if !a.Anonymous() {
				return ""
			}
			return network(r)
		}},
		{scopeUser, t.User, func(_ *http.Request, _ resource, a inbound.Actor) string {
			if a.Anonymous() {
				return ""
			}
			return string(a.User.ID())
		}},
		{scopeToken, t.Token, func(r *http.Request, res resource, _ inbound.Actor) string {
			if res.throttle != scopeToken {
				return ""
			}
			return network(r)
		}},
		{scopeRegister, t.Register, func(r *http.Request, res resource, a inbound.Actor) string {
			if res.throttle != scopeRegister || r.Method != http.MethodPost || a.Staff() {
				return ""
			}
			return network(r)
		}},
	} {
		if row.rate.Requests <= 0 {
			continue
		}
		store, err := newRateLimitStore(rateLimitCapacity, now)
		if err != nil {
			return nil, fmt.Errorf("limit %s: %w", row.scope, err)
		}
		limiter, err := newGCRALimiter(row.rate, store)
		if err != nil {
			return nil, fmt.Errorf("limit %s: %w", row.scope, err)
		}
		out = append(out, throttle{row.scope, row.rate, limiter, row.client})
	}
	return out, nil
}

// newLimiter returns the generic cell rate algorithm (ITU-T I.371) for rate. Its time is the store's.
func newGCRALimiter(rate Rate, store throttled.GCRAStoreCtx) (*throttled.GCRARateLimiterCtx, error) {
	limiter, err := throttled.NewGCRARateLimiterCtx(store, throttled.RateQuota{
		MaxRate: throttled.PerDuration(rate.Requests, rate.Period), MaxBurst: rate.Requests - 1, // beside the one that is due
	})
	if err != nil {
		return nil, err
	}
	// An attempt fails only because another request got through meanwhile, and the rate allows few.
	limiter.SetMaxCASAttemptsLimit(math.MaxInt)
	return limiter, nil
}

// network returns what stands for the client's address in a limit.
func network(r *http.Request) string { return lockout.Network(clientAddress(r)) }

// throttled counts a request in every scope that it belongs to and refuses it when one is used up; of
// several the one that lasts longest.
func (s *server) throttled(w http.ResponseWriter, r *http.Request, res resource, a inbound.Actor) error {
	return s.countRequest(w, r, func(t throttle) string { return t.client(r, res, a) })
}

// asksForEmail counts a change of an email address like a registration: both reveal whether the address is taken. Staff
// see all users, and a user's own address reveals nothing; neither is counted.
func (s *server) throttleEmailChange(w http.ResponseWriter, r *http.Request, a inbound.Actor, email field.Text) error {
	text := field.Strip(email.Value())
	if a.Anonymous() || a.Staff() || text == "" || text == a.User.Snapshot().Email {
		return nil
	}
	return s.countRequest(w, r, func(t throttle) string {
		if t.scope != scopeRegister {
			return ""
		}
		return network(r)
	})
}

// counted counts a request under each limit for which clientIn returns a client, "" for none. Headers say what is left
// (draft-ietf-httpapi-ratelimit-headers), in lines of their own beside those of an earlier count.
func (s *server) countRequest(w http.ResponseWriter, r *http.Request, keyOf func(throttle) string) error {
	var (
		policies, limits []string
		refused          *fault.Error
	)
	for _, t := range s.throttles {
		client := keyOf(t)
		if client == "" {
			continue
		}
		policies = append(policies, fmt.Sprintf("%s;q=%d;w=%d", strconv.Quote(t.scope), t.rate.Requests, wholeSeconds(t.rate.Period)))
		over, state, err := t.limiter.RateLimitCtx(r.Context(), client, 1)
		switch {
		case err != nil:
			return fmt.Errorf("limit %s: %w", t.scope, err)
		case !over:
			limits = append(limits, limit(t.scope, state.Remaining, state.ResetAfter))
		case refused == nil || state.RetryAfter > refused.RetryAfter:
			refused = fault.New(fault.RateLimited, t.scope, "").After(state.RetryAfter)
		}
	}
	if len(policies) > 0 {
		w.Header().Add("RateLimit-Policy", strings.Join(policies, ", "))
	}
	if len(limits) > 0 {
		w.Header().Add("RateLimit", strings.Join(limits, ", "))
	}
	if refused != nil {
		return refused
	}
	return nil
}

// limit is an item of the RateLimit field: how many requests may follow at once, and how long it takes
// until all may again; after a refusal, until one may, as Retry-After says.
func limit(name string, left int, reset time.Duration) string {
	return fmt.Sprintf("%s;r=%d;t=%d", strconv.Quote(name), left, wholeSeconds(reset))
}

// wholeSeconds rounds up: who waits so long has waited enough.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// throttledDetail is what DRF says to who has to wait.
func throttledDetail(wait time.Duration) string {
	const refused = "Request was throttled."
	switch n := wholeSeconds(wait); {
	case n <= 0:
		return refused
	case n == 1:
		return refused + " Expected available in 1 second."
	default:
		return fmt.Sprintf("%s Expected available in %d seconds.", refused, n)
	}
}
