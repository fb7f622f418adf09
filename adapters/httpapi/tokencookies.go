package httpapi

import (
	"net/http"

	"roster/adapters/browser"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/ports/inbound"
)

// TokenCookies are the names of dj-rest-auth's cookies with the tokens of a session (JWT_AUTH_COOKIE and
// JWT_AUTH_REFRESH_COOKIE, with JWT_AUTH_HTTPONLY on). The zero value is none.
type TokenCookies struct{ Access, Refresh string }

func (c TokenCookies) on() bool { return c.Access != "" }

var errNoRefreshCookie = fault.New(fault.Unauthenticated, "", "Refresh token was not included in cookie data.")

// authenticateCookies returns the actor of a request without an Authorization header, by one of its cookies. optional
// says that the request may be anonymous; then a token that is not valid counts as none, so that an old cookie does not
// stop a sign-in.
func (s *server) authenticateCookies(r *http.Request, optional bool) (inbound.Actor, error) {
	if s.BrowserSessions != nil {
		if actor, err := s.authenticateBrowser(r); err != nil || !actor.Anonymous() {
			return actor, err
		}
	}
	if !s.DjRestAuth.Cookies.on() {
		return inbound.Actor{}, nil
	}
	token := browser.ReadNamed(r, s.DjRestAuth.Cookies.Access)
	if token == "" {
		return inbound.Actor{}, nil
	}
	if err := s.origins.Check(r); err != nil {
		return inbound.Actor{}, err
	}
	actor, err := s.Authentication.Authenticate(r.Context(), token)
	switch {
	case optional && fault.KindOf(err) == fault.Unauthenticated:
		return inbound.Actor{}, nil
	case err != nil:
		return inbound.Actor{}, &accessTokenError{err}
	}
	infoOf(r).actor = string(actor.ID())
	return actor, nil
}

// checkTokenCookies fails if the answer to r must not set the cookies of its form: for a page of another origin, or without
// TLS. It is called before anything is changed.
func (s *server) checkTokenCookies(r *http.Request, f *form) error {
	if !f.cookies || !s.DjRestAuth.Cookies.on() {
		return nil
	}
	if err := s.origins.Check(r); err != nil {
		return err
	}
	return browser.CheckTransport(r)
}

// keepInCookies puts the tokens of p into the cookies, if there are any, and returns p for the body: without the refresh
// token, which scripts must not read.
func (s *server) keepInCookies(w http.ResponseWriter, r *http.Request, p inbound.TokenPair) inbound.TokenPair {
	c := s.DjRestAuth.Cookies
	if !c.on() {
		return p
	}
	browser.SetNamed(w, r, c.Access, p.Access, p.AccessExpires)
	if p.Refresh != "" {
		browser.SetNamed(w, r, c.Refresh, p.Refresh, p.RefreshExpires)
	}
	p.Refresh = ""
	return p
}

// refreshToken returns the refresh token of a request: that of the body or else, where the form has cookies, that of the
// cookie.
func (s *server) refreshToken(r *http.Request, c call, m members) (field.Text, error) {
	token := m["refresh"]
	if err := s.checkTokenCookies(r, c.form); err != nil || !c.form.cookies || token.Value() != "" {
		return token, err
	}
	if value := browser.ReadNamed(r, s.DjRestAuth.Cookies.Refresh); value != "" {
		return field.Given(value), nil
	}
	return token, nil
}

// clearTokenCookies deletes the cookies of a form that has them.
func (s *server) clearTokenCookies(w http.ResponseWriter, r *http.Request, c call) {
	if c.form.cookies && s.DjRestAuth.Cookies.on() {
		browser.ClearNamed(w, r, s.DjRestAuth.Cookies.Access)
		browser.ClearNamed(w, r, s.DjRestAuth.Cookies.Refresh)
	}
}
