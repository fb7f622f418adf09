package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"roster/adapters/browser"
	"roster/domain/user"
	"roster/ports/inbound"
)

// authenticateBrowser returns the actor of the cookie of r. As in Django, a request with a cookie that is not valid counts
// as one without: a browser sends it unasked, also with requests that need none. A request of an unsafe method that a
// page of another origin made is refused.
func (s *server) authenticateBrowser(r *http.Request) (inbound.Actor, error) {
	value := browser.Read(r)
	if value == "" {
		return inbound.Actor{}, nil
	}
	if err := s.origins.Check(r); err != nil {
		return inbound.Actor{}, err
	}
	b, err := s.BrowserSessions.Authenticate(r.Context(), value)
	if errors.Is(err, inbound.ErrNoCredentials) {
		return inbound.Actor{}, nil
	}
	infoOf(r).actor = string(b.Actor.ID())
	return b.Actor, err
}

// wireBrowserSession is a browser session in a response.
type wireBrowserSession struct {
	User    any      `json:"user"`
	Expires wireTime `json:"expires"`
}

func (s *server) writeBrowserSession(w http.ResponseWriter, r *http.Request, c call, code int, b inbound.BrowserSession) {
	s.writeJSON(w, r, code, wireBrowserSession{c.form.user(b.Actor.User), wireTime(b.Expires)})
}

// beginBrowserSession signs in and sets the cookie. Pages of other origins may not do so either: its visitor would act
// in an account that is not its own.
func (s *server) beginBrowserSession(w http.ResponseWriter, r *http.Request, c call) error {
	if err := s.origins.Check(r); err != nil {
		return err
	}
	if err := browser.CheckTransport(r); err != nil {
		return err
	}
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	in := inbound.SignIn{Email: m[s.loginField()], Password: m["password"]}
	b, err := s.BrowserSessions.Begin(r.Context(), in, browser.Read(r))
	if err != nil {
		return renameField(err, user.FieldEmail, s.loginField())
	}
	browser.Set(w, r, b.Value, b.Expires)
	infoOf(r).actor = string(b.Actor.ID())
	s.writeBrowserSession(w, r, c, http.StatusCreated, b)
	return nil
}

// getBrowserSession answers with 401 for a request with a token: that has no browser session.
func (s *server) getBrowserSession(w http.ResponseWriter, r *http.Request, c call) error {
	if len(r.Header.Values("Authorization")) > 0 {
		return inbound.ErrNoCredentials
	}
	b, err := s.BrowserSessions.Authenticate(r.Context(), browser.Read(r))
	if err != nil {
		return err
	}
	infoOf(r).actor = string(b.Actor.ID())
	s.writeBrowserSession(w, r, c, http.StatusOK, b)
	return nil
}

// endBrowserSession deletes the cookie, even if the session cannot be ended now.
func (s *server) endBrowserSession(w http.ResponseWriter, r *http.Request, _ call) error {
	if err := s.origins.Check(r); err != nil {
		return err
	}
	browser.Clear(w, r)
	if err := s.BrowserSessions.End(r.Context(), browser.Read(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Mount is a handler of pages beside the API. It decides itself which requests of other origins it refuses. No
// CORS header is added to its responses.
type Mount struct {
	Path    string // that it serves everything below, with a closing slash, such as /console/
	Handler http.Handler
}

// mounted returns a handler that serves the mounts, except the pages of mailed links, and otherwise next.
func (s *server) mounted(mounts []Mount, next http.Handler) http.Handler {
	if len(mounts) == 0 {
		return next
	}
	own := s.linkPages()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range mounts {
			switch {
			case strings.HasPrefix(r.URL.Path, m.Path) && !own(r.URL.Path):
				s.serveMount(w, r, m)
				return
			case r.URL.Path+"/" == m.Path:
				infoOf(r).route = m.Path
				s.redirect(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// serveMount serves a request below m.Path. Its route is the path of the pattern in http.ServeMux that it matched. A sign-in, and a
// request that causes a mail, count as they do with the API.
func (s *server) serveMount(w http.ResponseWriter, r *http.Request, m Mount) {
	info := infoOf(r)
	info.route = m.Path
	limit := func(scope string) func() error {
		return func() error {
			return s.countRequest(w, r, func(l rateLimit) string { return l.key(r, resource{scope: scope}, inbound.Actor{}) })
		}
	}
	r = r.WithContext(browser.WithLimits(r.Context(), browser.Limits{SignIn: limit(scopeToken), Mail: limit(scopeMail)}))
	m.Handler.ServeHTTP(w, r)
	if _, path, ok := strings.Cut(r.Pattern, " "); ok {
		info.route = strings.TrimSuffix(path, "{$}")
	}
}
