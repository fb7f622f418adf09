package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"roster/ports/inbound"
)

// authenticate returns the actor of the request, the anonymous one if it has no token. As in DRF, an invalid token is
// an error also for a method that needs none. Cookies count only where no Authorization header is sent; optional says that
// the request may be anonymous.
func (s *server) authenticate(r *http.Request, optional bool) (inbound.Actor, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return s.authenticateCookies(r, optional)
	}
	if len(headers) > 1 { // a proxy could check another one than this server
		return inbound.Actor{}, errAuthorization
	}
	var parts []string
	if len(headers) == 1 {
		parts = strings.FieldsFunc(headers[0], func(r rune) bool { return r == ' ' || r == '\t' }) // no other Unicode space
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
	infoOf(r).actor = string(actor.ID())
	return actor, nil
}

// isScheme reports whether name is one of the authentication schemes. Case does not matter (RFC 9110, 11.1), except
// with ExactScheme, as in SimpleJWT.
func (s *server) isScheme(name string) bool {
	return slices.ContainsFunc(s.schemes(), func(scheme string) bool {
		return name == scheme || !s.ExactScheme && strings.EqualFold(name, scheme)
	})
}
