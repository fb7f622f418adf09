package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"roster/ports/inbound"
)

// call is what the checks before a handler found out.
type call struct {
	actor inbound.Actor
	query query
}

type method struct {
	name   string
	handle handler
}

// resource is what one path offers.
type resource struct {
	name, description string
	methods           []method
	authenticate      bool            // a Bearer token is looked at, and needed but for the open methods
	open              map[string]bool // methods that nobody needs to be signed in for
	throttle          string          // scope of limits that the resource is in by itself, "" for none
	actions           func(r *http.Request, c call) (any, error)
}

// allow lists the methods in DRF's order.
func (res resource) allow() string {
	var names []string
	head := false
	for _, m := range res.methods {
		names = append(names, m.name)
		head = head || m.name == http.MethodGet
	}
	if head {
		names = append(names, http.MethodHead)
	}
	return strings.Join(append(names, http.MethodOptions), ", ")
}

func (res resource) handler(s *server, name string) (handler, error) {
	if name == http.MethodOptions {
		return s.options(res), nil
	}
	for _, m := range res.methods {
		if m.name == name || m.name == http.MethodGet && name == http.MethodHead {
			return m.handle, nil
		}
	}
	return nil, errMethod(name)
}

// serve makes the checks in DRF's order, which decides what a request with several faults is told:
// negotiation, authentication, permission, throttling, method; the handler goes on with object, body, rules.
func (s *server) serve(res resource) http.Handler {
	allow := res.allow()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		c := call{query: parseQuery(r.URL.RawQuery)}
		err := s.dispatch(w, r, res, c)
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *server) dispatch(w http.ResponseWriter, r *http.Request, res resource, c call) error {
	if err := negotiate(r, c.query); err != nil {
		return err
	}
	if res.authenticate {
		var err error
		if c.actor, err = s.authenticate(r); err != nil {
			return err
		}
		if c.actor.Anonymous() && !res.open[r.Method] {
			return inbound.ErrNoCredentials
		}
	}
	if err := s.throttled(w, r, res, c.actor); err != nil {
		return err
	}
	handle, err := res.handler(s, r.Method)
	if err != nil {
		return err
	}
	return handle(w, r, c)
}

// authenticate returns who sends r. A bad token is refused also where none is needed, as in DRF.
func (s *server) authenticate(r *http.Request) (inbound.Actor, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 { // which one counts would be anybody's guess
		return inbound.Actor{}, errAuthorization
	}
	var parts []string
	if len(headers) == 1 {
		parts = strings.FieldsFunc(headers[0], func(r rune) bool { return r == ' ' || r == '\t' }) // not Unicode's other blanks
	}
	switch {
	case len(parts) == 0 || !s.isScheme(parts[0]):
		return inbound.Actor{}, nil
	case len(parts) != 2:
		return inbound.Actor{}, errAuthorization
	}
	actor, err := s.Authentication.Authenticate(r.Context(), parts[1])
	if err != nil {
		return inbound.Actor{}, &accessTokenError{err}
	}
	note(r, actor)
	return actor, nil
}

// isScheme reports whether name is one of the authentication schemes. Case does not count (RFC 9110,
// 11.1), except as SimpleJWT has it.
func (s *server) isScheme(name string) bool {
	return slices.ContainsFunc(s.schemes(), func(scheme string) bool {
		return name == scheme || !s.ExactScheme && strings.EqualFold(name, scheme)
	})
}
