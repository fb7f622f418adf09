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

// Rate is how many requests of one client are allowed at once; each Period/Requests allows one more. The zero value
// is no limit. Period/Requests must be at least a nanosecond.
type Rate struct {
	Requests int
	Period   time.Duration
}

// Throttling holds the rate of each scope, as in DRF. A request counts in every scope that it belongs to. Each process
// counts on its own.
type Throttling struct {
	Anon     Rate // anonymous requests, by client network
	User     Rate // authenticated requests, by user
	Token    Rate // requests to the token endpoints, by client network
	Register Rate // requests that reveal whether an email address is taken, by client network; not those of staff
	Mail     Rate // requests for a mail, by client network
	// RegistrationMails counts registrations with Mail too, since each mails a link.
	RegistrationMails bool
}

// Names of the scopes, in headers and in the route table (DRF's throttle_scope).
const (
	scopeAnon     = "anon"
	scopeUser     = "user"
	scopeToken    = "token"
	scopeRegister = "register"
	scopeMail     = "mail"
)

// rateLimit limits the requests of one scope.
type rateLimit struct {
	scope   string
	rate    Rate
	limiter *throttled.GCRARateLimiterCtx
	key     limitKey
}

// limitKey returns the key that a request counts under, "" if it does not count.
type limitKey func(r *http.Request, res resource, a inbound.Actor) string

func newRateLimits(t Throttling, now func() time.Time) ([]rateLimit, error) {
	var out []rateLimit
	for _, row := range []struct {
		scope string
		rate  Rate
		key   limitKey
	}{
		{scopeAnon, t.Anon, func(r *http.Request, _ resource, a inbound.Actor) string {
			if !a.Anonymous() {
				return ""
			}
			return networkKey(r)
		}},
		{scopeUser, t.User, func(_ *http.Request, _ resource, a inbound.Actor) string { return string(a.ID()) }},
		{scopeToken, t.Token, func(r *http.Request, res resource, _ inbound.Actor) string {
			if res.scope != scopeToken || res.postScope && r.Method != http.MethodPost {
				return ""
			}
			return networkKey(r)
		}},
		{scopeRegister, t.Register, func(r *http.Request, res resource, a inbound.Actor) string {
			if res.scope != scopeRegister || r.Method != http.MethodPost || a.Staff() {
				return ""
			}
			return networkKey(r)
		}},
		{scopeMail, t.Mail, func(r *http.Request, res resource, a inbound.Actor) string {
			registers := t.RegistrationMails && res.scope == scopeRegister && !a.Staff()
			if res.scope != scopeMail && !registers || r.Method != http.MethodPost {
				return ""
			}
			return networkKey(r)
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
		out = append(out, rateLimit{row.scope, row.rate, limiter, row.key})
	}
	return out, nil
}

// newGCRALimiter returns a limiter that uses the generic cell rate algorithm (ITU-T I.371) and the clock of store.
func newGCRALimiter(rate Rate, store throttled.GCRAStoreCtx) (*throttled.GCRARateLimiterCtx, error) {
	limiter, err := throttled.NewGCRARateLimiterCtx(store, throttled.RateQuota{
		MaxRate: throttled.PerDuration(rate.Requests, rate.Period), MaxBurst: rate.Requests - 1, // beside the first
	})
	if err != nil {
		return nil, err
	}
	// A swap fails only if another request was let through in between, and the rate bounds how many are.
	limiter.SetMaxCASAttemptsLimit(math.MaxInt)
	return limiter, nil
}

// networkKey returns the client network of r.
func networkKey(r *http.Request) string { return lockout.Network(infoOf(r).client) }

// throttle counts a request in every scope that it belongs to. It fails if one of them is exhausted; of several the
// one with the longest wait.
func (s *server) throttle(w http.ResponseWriter, r *http.Request, res resource, a inbound.Actor) error {
	return s.countRequest(w, r, func(l rateLimit) string { return l.key(r, res, a) })
}

// throttleEmailChange counts a change of an email address like a registration: both reveal whether the address is
// taken. Staff see all users, and a user's own address reveals nothing; neither is counted. With mails, it also counts as
// a request for a mail.
func (s *server) throttleEmailChange(w http.ResponseWriter, r *http.Request, a inbound.Actor, email field.Text, mails bool) error {
	text := field.Strip(email.Value())
	if a.Anonymous() || a.Staff() || text == "" || text == a.User.Snapshot().Email {
		return nil
	}
	return s.countRequest(w, r, func(l rateLimit) string {
		if l.scope != scopeRegister && (l.scope != scopeMail || !mails) {
			return ""
		}
		return networkKey(r)
	})
}

// countRequest counts a request under each limit for which keyOf returns a key. It adds header lines with what remains
// (draft-ietf-httpapi-ratelimit-headers), beside those of an earlier call.
func (s *server) countRequest(w http.ResponseWriter, r *http.Request, keyOf func(rateLimit) string) error {
	var (
		policies, items []string
		refused         *fault.Error
	)
	for _, l := range s.limits {
		key := keyOf(l)
		if key == "" {
			continue
		}
		policies = append(policies, fmt.Sprintf("%s;q=%d;w=%d", strconv.Quote(l.scope), l.rate.Requests, wholeSeconds(l.rate.Period)))
		exceeded, state, err := l.limiter.RateLimitCtx(r.Context(), key, 1)
		switch {
		case err != nil:
			return fmt.Errorf("limit %s: %w", l.scope, err)
		case !exceeded:
			items = append(items, rateLimitItem(l.scope, state.Remaining, state.ResetAfter))
		case refused == nil || state.RetryAfter > refused.RetryAfter:
			refused = fault.New(fault.RateLimited, l.scope, "").After(state.RetryAfter)
		}
	}
	if len(policies) > 0 {
		w.Header().Add("RateLimit-Policy", strings.Join(policies, ", "))
	}
	if len(items) > 0 {
		w.Header().Add("RateLimit", strings.Join(items, ", "))
	}
	if refused != nil {
		return refused
	}
	return nil
}

// rateLimitItem returns an item of the RateLimit header: how many requests remain, and the time until all are allowed
// again. After a refusal it is the time until one is, as in Retry-After.
func rateLimitItem(scope string, remaining int, reset time.Duration) string {
	return fmt.Sprintf("%s;r=%d;t=%d", strconv.Quote(scope), remaining, wholeSeconds(reset))
}

// wholeSeconds rounds up, so that waiting that long is enough.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// throttledDetail returns DRF's message for a throttled request.
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
