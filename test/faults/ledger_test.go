package faults

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// The ledger records what clients were answered. Each request has one of three outcomes: acknowledged (2xx), refused (4xx)
// or unknown (5xx, or no answer). After a fault the ledger asks the service, which must agree: what was acknowledged is
// there, what was refused did not happen, and what is unknown either happened or did not, as a whole, and stays so.
type ledger struct {
	name    string // of the run; addresses begin with it
	seed    uint64
	silent  bool          // requests may remain without an answer, as when the service is killed
	anyTime bool          // the clock of the service jumps, so that it may refuse a token that is good by another time
	pace    time.Duration // between two requests of a client, where the load lasts as long as something else; 0 for none

	mu         sync.Mutex
	accounts   []*account
	violations []string
	counts     struct{ acknowledged, refused, unknown int }
	changed    chan struct{} // closed at the next acknowledgment
}

func newLedger(name string, seed uint64) *ledger {
	return &ledger{name: name, seed: seed, changed: make(chan struct{})}
}

// account is what a client knows of the account that it uses. No other client uses it.
type account struct {
	email     string
	id        string   // "" until a registration is acknowledged
	there     maybe    // whether the account exists
	names     []string // those that it may have: the last acknowledged, then unknown ones
	passwords []string // likewise
	sessions  []*login
	access    string // a token of an access that is not ended, or ""
}

// login is one session.
type login struct {
	token string   // the last refresh token that was acknowledged
	spent []string // its predecessors
	alive maybe    // whether it was ended
}

// maybe is what is known of a fact.
type maybe int

const (
	no maybe = iota
	unknown
	yes
)

// The outcomes of a request.
const (
	acknowledged = "acknowledged"
	refused      = "refused"
	unsure       = "unknown"
)

func (l *ledger) violate(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.violations) < 20 {
		l.violations = append(l.violations, fmt.Sprintf(format, args...))
	}
}

func (l *ledger) violated() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.violations) > 0
}

// outcome counts an answer and checks its form: a request whose outcome is unknown is answered with 503 and Retry-After.
func (l *ledger) outcome(what string, a answer) string {
	l.mu.Lock()
	kind := unsure
	switch {
	case a.err == nil && a.status < 300:
		kind = acknowledged
		l.counts.acknowledged++
		close(l.changed)
		l.changed = make(chan struct{})
	case a.status == http.StatusUnauthorized && l.anyTime: // what the client does next does not rely on it
		l.counts.unknown++
	case a.err == nil && a.status < 500:
		kind = refused
		l.counts.refused++
	default:
		l.counts.unknown++
	}
	silent := l.silent
	l.mu.Unlock()
	switch {
	case a.err != nil && !silent:
		l.violate("%s: no answer: %v", what, a.err)
	case a.status >= 500 && (a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == ""):
		l.violate("%s: status %d with Retry-After %q: %s", what, a.status, a.header.Get("Retry-After"), a.raw)
	}
	return kind
}

// load is clients at work.
type load struct {
	l    *ledger
	stop chan struct{}
	all  sync.WaitGroup
}

// begin starts clients. Each goes on until the load is ended, or until so many of its requests had an unknown outcome.
func (l *ledger) begin(url string, clients, unknowns int) *load {
	w := &load{l: l, stop: make(chan struct{})}
	for i := range clients {
		l.seed++
		random := rand.New(rand.NewPCG(l.seed, uint64(i)))
		w.all.Go(func() {
			c := &client{ledger: l, url: url, random: random, name: fmt.Sprintf("%s-%x", l.name, random.Uint64())}
			for left := unknowns; left > 0; {
				select {
				case <-w.stop:
					return
				default:
				}
				if c.step() == unsure {
					left--
				}
				if l.pace > 0 {
					select {
					case <-w.stop:
					case <-time.After(l.pace):
					}
				}
			}
		})
	}
	return w
}

// await returns after n more acknowledgments, or when the clients have ended.
func (w *load) await(n int) {
	ended := make(chan struct{})
	go func() {
		w.all.Wait()
		close(ended)
	}()
	w.l.mu.Lock()
	end := w.l.counts.acknowledged + n
	for w.l.counts.acknowledged < end {
		changed := w.l.changed
		w.l.mu.Unlock()
		select {
		case <-changed:
		case <-ended:
			return
		}
		w.l.mu.Lock()
	}
	w.l.mu.Unlock()
}

// wait returns when each client met its unknown outcomes.
func (w *load) wait() { w.all.Wait() }

// end ends the load: each client finishes its request.
func (w *load) end() {
	close(w.stop)
	w.all.Wait()
}

// client sends one request after the other about an account of its own, and takes another account after an unknown
// outcome.
type client struct {
	*ledger
	url    string
	name   string
	random *rand.Rand
	n      int
	a      *account
}

// step sends one request and records its outcome.
func (c *client) step() string {
	if c.a == nil || c.a.there != yes {
		return c.register()
	}
	if c.a.access == "" {
		return c.signIn()
	}
	var kind string
	switch n := c.random.IntN(100); {
	case n < 30:
		kind = c.rename()
	case n < 60:
		kind = c.refresh()
	case n < 70:
		return c.signIn()
	case n < 78:
		kind = c.signOut()
	case n < 84:
		kind = c.changePassword()
	case n < 92:
		kind = c.registerAgain()
	case n < 96:
		kind = c.renameWrongly()
	default:
		kind = c.delete()
	}
	if kind == unsure {
		c.a = nil // what comes next would depend on what is unknown
	}
	return kind
}

func (c *client) next() int { c.n++; return c.n }

// ask sends a request that must be acknowledged unless its outcome is unknown.
func (c *client) ask(what, method, path, token string, body any) (string, answer) {
	a := ask(c.url, method, path, token, body)
	kind := c.outcome(what, a)
	if kind == refused {
		c.violate("%s of %s was refused: status %d: %s", what, c.a.email, a.status, a.raw)
		c.a.there = unknown
	}
	return kind, a
}

func (c *client) register() string {
	n := c.next()
	c.a = &account{email: fmt.Sprintf("%s-%d@example.com", c.name, n), names: []string{fmt.Sprint("N", n)},
		passwords: []string{fmt.Sprint(password, n)}, there: unknown}
	c.mu.Lock()
	c.accounts = append(c.accounts, c.a)
	c.mu.Unlock()
	kind, a := c.ask("registration", "POST", "/api/users/", "", c.a.form())
	if kind == acknowledged {
		c.a.there, c.a.id = yes, a.text("id")
	}
	return kind
}

func (a *account) form() object {
	return object{"email": a.email, "password": a.passwords[0], "first_name": a.names[0], "last_name": "L"}
}

// registerAgain registers an address that is taken.
func (c *client) registerAgain() string {
	form := c.a.form()
	form["first_name"] = "refused"
	return c.mustRefuse("second registration", ask(c.url, "POST", "/api/users/", "", form))
}

func (c *client) mustRefuse(what string, a answer) string {
	kind := c.outcome(what, a)
	if kind == acknowledged {
		c.violate("%s of %s was acknowledged: status %d: %s", what, c.a.email, a.status, a.raw)
	}
	return kind
}

func (c *client) signIn() string {
	kind, a := c.ask("sign-in", "POST", "/api/token/", "", object{"email": c.a.email, "password": c.a.passwords[0]})
	if kind == acknowledged {
		c.a.access = a.text("access")
		c.a.sessions = append(c.a.sessions, &login{token: a.text("refresh"), alive: yes})
	}
	return kind
}

func (c *client) rename() string {
	name := fmt.Sprint("N", c.next())
	kind, _ := c.ask("change of the name", "PATCH", c.a.path(), c.a.access, object{"first_name": name})
	c.a.names = record(c.a.names, name, kind)
	return kind
}

// record adds a value that was sent to those that may be stored.
func record(values []string, sent, kind string) []string {
	switch kind {
	case acknowledged:
		return []string{sent}
	case unsure:
		return append(values, sent)
	}
	return values
}

func (a *account) path() string { return "/api/users/" + a.id + "/" }

// renameWrongly sends a change with one value that is refused, and so as a whole.
func (c *client) renameWrongly() string {
	return c.mustRefuse("bad change", ask(c.url, "PATCH", c.a.path(), c.a.access, object{"first_name": "refused", "email": "no address"}))
}

func (c *client) changePassword() string {
	set := fmt.Sprint(password, c.next())
	kind, _ := c.ask("change of the password", "PATCH", c.a.path(), c.a.access, object{"password": set})
	c.a.passwords = record(c.a.passwords, set, kind)
	c.a.endSessions(kind)
	return kind
}

// endSessions records that all sessions but that of the request end.
func (a *account) endSessions(kind string) {
	for _, s := range a.sessions {
		s.ends(kind)
	}
	a.access = ""
}

func (s *login) ends(kind string) {
	switch {
	case s.alive == no:
	case kind == acknowledged:
		s.alive = no
	case kind == unsure:
		s.alive = unknown
	}
}

// last returns the session of the last sign-in, which is that of the access token.
func (c *client) last() *login { return c.a.sessions[len(c.a.sessions)-1] }

func (c *client) refresh() string {
	s := c.last()
	kind, a := c.ask("refresh", "POST", "/api/token/refresh/", "", object{"refresh": s.token})
	if kind == acknowledged {
		s.spent = append(s.spent, s.token)
		s.token, c.a.access = a.text("refresh"), a.text("access")
	}
	return kind
}

func (c *client) signOut() string {
	s := c.last()
	kind, _ := c.ask("sign-out", "POST", "/api/token/blacklist/", "", object{"refresh": s.token})
	s.ends(kind)
	c.a.access = ""
	return kind
}

func (c *client) delete() string {
	kind, _ := c.ask("deletion", "DELETE", c.a.path(), c.a.access, nil)
	c.a.endSessions(kind)
	switch kind {
	case acknowledged:
		c.a.there = no
	case unsure:
		c.a.there = unknown
	}
	return kind
}
