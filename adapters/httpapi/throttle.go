package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"roster/domain/fault"
	"roster/ports/inbound"
)

// Throttling is how often clients may ask, by scope as in DRF. The scopes add up: a request counts in
// each that it belongs to. What is counted is counted by this process alone.
type Throttling struct {
	Anon     Rate // requests with nobody signed in, by client address
	User     Rate // requests of somebody signed in, by user
	Token    Rate // requests to the token endpoints, by client address
	Register Rate // registrations, by client address; those by staff do not count
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
	windows *windows
	client  func(r *http.Request, res resource, a inbound.Actor) string // "": the request does not count
}

func newThrottles(t Throttling) []throttle {
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
		if row.rate.Requests > 0 {
			out = append(out, throttle{row.scope, newWindows(row.rate, windowCapacity), row.client})
		}
	}
	return out
}

// ipv6Site is the part of an IPv6 address that is one client's: who has one address has all 2^64 of
// its network (RFC 6177).
const ipv6Site = 64

// network returns what stands for the client's address in a limit.
func network(r *http.Request) string {
	text := clientAddress(r)
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		return netip.PrefixFrom(addr, ipv6Site).Masked().String()
	}
	return addr.String()
}

// throttled counts a request in every scope that it belongs to and refuses it when one is used up; of
// several the one that lasts longest. Headers tell what is left (draft-ietf-httpapi-ratelimit-headers).
func (s *server) throttled(w http.ResponseWriter, r *http.Request, res resource, a inbound.Actor) error {
	var (
		policies, limits []string
		refused          *fault.Error
	)
	now := s.now()
	for _, t := range s.throttles {
		client := t.client(r, res, a)
		if client == "" {
			continue
		}
		rate := t.windows.rate
		policies = append(policies, fmt.Sprintf("%s;q=%d;w=%d", strconv.Quote(t.scope), rate.Requests, wholeSeconds(rate.Period)))
		left, ends, ok := t.windows.take(client, now)
		switch {
		case ok:
			limits = append(limits, limit(t.scope, left, ends))
		case refused == nil || ends > refused.RetryAfter:
			refused = fault.New(fault.RateLimited, t.scope, "").After(ends)
		}
	}
	if len(policies) > 0 {
		w.Header().Set("RateLimit-Policy", strings.Join(policies, ", "))
	}
	if len(limits) > 0 {
		w.Header().Set("RateLimit", strings.Join(limits, ", "))
	}
	if refused != nil {
		return refused
	}
	return nil
}

// limit is an item of the RateLimit field: how many requests are left, and for how long that holds.
func limit(name string, left int, ends time.Duration) string {
	return fmt.Sprintf("%s;r=%d;t=%d", strconv.Quote(name), left, wholeSeconds(ends))
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
