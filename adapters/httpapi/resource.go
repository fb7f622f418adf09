package httpapi

import (
	"net/http"
	"strings"

	"roster/ports/inbound"
)

// call is what the checks before a handler learn about a request.
type call struct {
	actor inbound.Actor
	query query
	form  *form
}

// handler responds to a request that passed the checks, or returns the error to respond with.
type handler func(w http.ResponseWriter, r *http.Request, c call) error

type method struct {
	name   string
	handle handler
}

// resource is what one path offers.
type resource struct {
	name, description string // for OPTIONS
	methods           []method
	authenticate      bool            // the Authorization header is checked
	anonymous         map[string]bool // methods that need no authentication
	scope             string          // DRF's throttle_scope, "" for none
	postScope         bool            // only POST counts in scope
	form              *form           // nil for that of /api/
	actions           func(r *http.Request, c call) (any, error)
}

// allow returns the Allow header: the methods in DRF's order.
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

// handlerOf returns the handler of a method. It fails if the resource does not allow the method.
func (res resource) handlerOf(s *server, methodName string) (handler, error) {
	if methodName == http.MethodOptions {
		return s.options(res), nil
	}
	for _, m := range res.methods {
		if m.name == methodName || m.name == http.MethodGet && methodName == http.MethodHead {
			return m.handle, nil
		}
	}
	return nil, errMethod(methodName)
}

// serve returns the handler of a resource.
func (s *server) serve(res resource) http.HandlerFunc {
	allow := res.allow()
	if res.form == nil {
		res.form = s.api()
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		if err := s.dispatch(w, r, res); err != nil {
			s.fail(w, r, err)
		}
	}
}

// dispatch runs the checks in DRF's order, which decides the error of a request with several faults: negotiation,
// authentication, permission, throttling, method. The handler then checks object, body and rules.
func (s *server) dispatch(w http.ResponseWriter, r *http.Request, res resource) error {
	c := call{query: parseQuery(r.URL.RawQuery), form: res.form}
	if err := negotiate(r, c.query); err != nil {
		return err
	}
	if res.authenticate {
		var err error
		if c.actor, err = s.authenticate(r, res.anonymous[r.Method]); err != nil {
			return err
		}
		if c.actor.Anonymous() && !res.anonymous[r.Method] {
			return inbound.ErrNoCredentials
		}
	}
	if err := s.throttle(w, r, res, c.actor); err != nil {
		return err
	}
	handle, err := res.handlerOf(s, r.Method)
	if err != nil {
		return err
	}
	if err := handle(w, r, c); err != nil {
		return res.form.error(err)
	}
	return nil
}
