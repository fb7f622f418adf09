package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// verify asks the service about every account from the nth on, which no client uses any more, and settles what was
// unknown. It returns the number of accounts.
func (l *ledger) verify(url string, from int) int {
	l.mu.Lock()
	accounts := slices.Clone(l.accounts)
	l.mu.Unlock()
	work := make(chan *account)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for a := range work {
				(&check{l, url, a}).account()
			}
		})
	}
	for _, a := range accounts[from:] {
		work <- a
	}
	close(work)
	all.Wait()
	return len(accounts)
}

// check compares one account with the service.
type check struct {
	*ledger
	url string
	a   *account
}

// must sends a request whose outcome must not be unknown.
func (c *check) must(what, method, path, token string, body any) answer {
	a := ask(c.url, method, path, token, body)
	if a.err != nil || a.status >= 500 {
		c.violate("%s of %s after the fault: %v, status %d: %s", what, c.a.email, a.err, a.status, a.raw)
	}
	return a
}

func (c *check) account() {
	a := c.a
	var access, with string
	for _, p := range a.passwords {
		got := c.must("sign-in", "POST", "/api/token/", "", object{"email": a.email, "password": p})
		if got.status != http.StatusOK {
			continue
		}
		if with != "" {
			c.violate("%s has two passwords", a.email)
		}
		access, with = got.text("access"), p
	}
	switch {
	case access == "" && a.there == yes:
		c.violate("lost: %s (%s) cannot sign in with any of %d passwords", a.email, a.id, len(a.passwords))
		return
	case access != "" && a.there == no:
		c.violate("%s was deleted and signs in", a.email)
		return
	case access == "":
		a.there = no
	default:
		a.there, a.passwords = yes, []string{with}
		c.fields(access)
	}
	for i, s := range a.sessions {
		c.session(i, s)
	}
}

// fields compares what is stored of an account that exists. An address belongs to one account.
func (c *check) fields(access string) {
	a := c.a
	list := c.must("search", "GET", "/api/users/?search="+strings.ReplaceAll(a.email, "@", "%40"), access, nil)
	found, _ := list.body()["results"].([]any)
	if len(found) != 1 {
		c.violate("%s: %d accounts: %s", a.email, len(found), list.raw)
		return
	}
	one, _ := found[0].(object)
	name, id := fmt.Sprint(one["first_name"]), fmt.Sprint(one["id"])
	if a.id != "" && id != a.id {
		c.violate("%s was registered as %s and is %s", a.email, a.id, id)
	}
	if !slices.Contains(a.names, name) {
		c.violate("%s has the name %s; acknowledged or unknown were %v", a.email, name, a.names)
	}
	a.id, a.names = id, []string{name}
}

// session compares a session: the last acknowledged token of one that goes on works, and no token of one that ended does.
func (c *check) session(i int, s *login) {
	if c.a.there == no && s.alive == yes {
		s.alive = no // its user was deleted, as is known now
	}
	got := c.must("refresh", "POST", "/api/token/refresh/", "", object{"refresh": s.token})
	worked := got.status == http.StatusOK
	switch {
	case worked && s.alive == no:
		c.violate("session %d of %s was ended and goes on", i, c.a.email)
	case !worked && s.alive == yes:
		c.violate("session %d of %s is lost after %d rotations: status %d: %s", i, c.a.email, len(s.spent), got.status, got.raw)
	case worked:
		s.spent, s.token, s.alive = append(s.spent, s.token), got.text("refresh"), yes
	default:
		s.alive = no
	}
	if s.alive == yes && len(s.spent) > 1 { // of the token before, a repetition is answered as long as the grace lasts
		if got := c.must("refresh", "POST", "/api/token/refresh/", "", object{"refresh": s.spent[len(s.spent)-2]}); got.status == http.StatusOK {
			c.violate("session %d of %s: a token that was replaced twice works", i, c.a.email)
		}
		s.alive = no // which ends the session
	}
}
