package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"roster/adapters/browser"
	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/inbound"
)

// visit is one request to the console.
type visit struct {
	inbound.BrowserSession // the zero value for a visitor that is not signed in
	area                   area
	path                   string // of the request, below that of the area
	root                   string // the path of the area, relative to the page
	query                  url.Values
	scripted               bool // a script replaces a part of the page with the answer
}

type visitKey struct{}

// begin returns the visit of a request. It fails with fault.Unauthenticated when no session is valid; the visit is
// usable all the same.
func (s *server) begin(r *http.Request) (*visit, error) {
	v := &visit{
		area: s.area, path: strings.TrimPrefix(r.URL.Path, s.path), query: r.URL.Query(), scripted: r.Header.Get("Hx-Request") != "",
	}
	v.root = "./" + strings.Repeat("../", strings.Count(v.path, "/"))
	if earlier, ok := r.Context().Value(visitKey{}).(*visit); ok { // the request goes on after a sign-in, at its URL
		v.BrowserSession, v.root = earlier.BrowserSession, earlier.root
		return v, nil
	}
	value := browser.Read(r)
	if value == "" {
		return v, inbound.ErrNoCredentials
	}
	var err error
	v.BrowserSession, err = s.Browser.Authenticate(r.Context(), value)
	return v, err
}

// admitted reports whether the visitor is signed in as a user that may use the area.
func (v *visit) admitted() bool { return !v.Actor.Anonymous() && v.area.admits(v.Actor) }

// errNotStaff refuses users that are no administrators.
var errNotStaff = fault.New(fault.Forbidden, "not_staff", "Only administrators may use the console.")

// maxForm bounds the body of a request, in bytes.
const maxForm = 64 << 10

// handler returns the handler of a route.
func (s *server) handler(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		v, err := s.begin(r)
		switch refused := s.origins.Check(r); {
		case refused != nil:
			err = refused
		case rt.open && fault.KindOf(err) == fault.Unauthenticated:
			err = nil
		case err == nil && !rt.open && !v.admitted():
			err = errNotStaff
		}
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if bad := r.ParseForm(); bad != nil {
				err = errors.Join(errBadForm, bad)
			}
		}
		if err == nil {
			err = rt.handle(s, w, r, v)
		}
		if err != nil {
			s.fail(w, r, v, err)
		}
	}
}

// policy is the Content-Security-Policy. The style sheet of Pico has its symbols as data: images.
const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// to returns the URL of a path below that of the area, relative to the page: a proxy may serve the console below another path.
func (v *visit) to(path string) templ.SafeURL {
	return templ.SafeURL(v.root + path)
}

// toUser returns the URL of a page of a user.
func (v *visit) toUser(id user.ID, more string) templ.SafeURL {
	return v.to(userPath(id) + more)
}

// redirect answers a form with another page, which shows a notice; "" for none.
func (v *visit) redirect(w http.ResponseWriter, path, notice string) error {
	if notice != "" {
		path += "?done=" + url.QueryEscape(notice)
	}
	w.Header().Set("Location", string(v.to(path)))
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// page is a page before it has the frame.
type page struct {
	title   string
	section string // the path of its section, "" for none
	status  int    // 0 for 200
	body    templ.Component
}

// show writes a page.
func (s *server) show(ctx context.Context, w http.ResponseWriter, v *visit, p page) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.status != 0 {
		w.WriteHeader(p.status)
	}
	if err := layout(v, p, s.Version).Render(ctx, w); err != nil {
		return errors.Join(errUnfinished, err)
	}
	return nil
}

// inPlace shows a page with a form again, with what is wrong with it. Errors that are not about the form are returned.
func (s *server) inPlace(w http.ResponseWriter, r *http.Request, v *visit, err error, p page, body func(*page, form)) error {
	switch fault.KindOf(err) {
	case fault.Unauthenticated, fault.NotFound:
		return err
	case fault.Forbidden:
		if errors.Is(err, inbound.ErrSignInAgain) {
			return err
		}
	case fault.Internal, fault.Invalid, fault.Conflict, fault.Stale, fault.RateLimited, fault.Unavailable:
	}
	wrong := s.explain(w, r, err)
	p.status, p.title = wrong.status, "Error: "+p.title
	body(&p, posted(r, wrong))
	return s.show(r.Context(), w, v, p)
}
