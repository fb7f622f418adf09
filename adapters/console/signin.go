package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"roster/adapters/browser"
	"roster/domain/fault"
	"roster/ports/inbound"
)

const (
	signInPath  = "sign-in/"
	signOutPath = "sign-out/"
)

// Inputs of the sign-in.
const (
	inputEmail    = "email"
	inputPassword = "password"
	inputNext     = "next" // the page to go on with, below that of the area
	inputThen     = "then" // the target of a form that was posted before, below the path of the area
	thenPrefix    = "then."
)

var signInRoutes = []route{
	{http.MethodGet, signInPath, (*server).showSignIn, true},
	{http.MethodPost, signInPath, (*server).signIn, true},
	{http.MethodPost, signOutPath, (*server).signOut, true},
}

// signInForm is the page that asks for the password.
type signInForm struct {
	form

	again      bool   // of a user that is signed in
	why        string // why the visitor is asked
	next       string
	then       string     // see inputThen
	pending    url.Values // inputs of that form
	leaderless bool       // there is no administrator
	forgot     string     // see Settings.ForgotPath
}

func (s *server) showSignIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	next := v.query.Get(inputNext)
	if v.admitted() {
		return v.redirect(w, ownPath(next), "")
	}
	return s.showSignInForm(w, r, v, http.StatusOK, signInForm{next: next})
}

func (s *server) showSignInForm(w http.ResponseWriter, r *http.Request, v *visit, status int, f signInForm) error {
	f.forgot = s.ForgotPath
	if v.Actor.Anonymous() && s.HasAdministrator != nil {
		found, err := s.HasAdministrator(r.Context())
		f.leaderless = err == nil && !found // what else is wrong, the sign-in shows
	}
	title := "Sign in"
	if f.again {
		title = "Sign in again"
	}
	return s.show(r.Context(), w, v, page{title: title, status: status, body: signInPage(v, f)})
}

// askPassword answers a form that needs a sign-in, or a recent one. What was posted is kept in the page, except passwords,
// and takes effect after the sign-in.
func (s *server) askPassword(w http.ResponseWriter, r *http.Request, v *visit, err error) error {
	if v.Actor.Anonymous() && !s.resumes {
		f := signInForm{next: v.nextPath(r), why: "Your session has ended, and nothing was changed. Sign in, then send the form again."}
		return s.showSignInForm(w, r, v, http.StatusUnauthorized, f)
	}
	f := signInForm{next: v.nextPath(r), then: v.path, pending: url.Values{}}
	for name, values := range r.PostForm {
		if !strings.Contains(name, inputPassword) {
			f.pending[name] = values
		}
	}
	status := http.StatusUnauthorized
	f.why = "Your session has ended. What you sent takes effect once you have signed in."
	if fault.KindOf(err) == fault.Forbidden {
		status, f.again = http.StatusForbidden, true
		f.why = "This needs your password, given within the last five minutes. What you sent takes effect once you have signed in."
		f.values = url.Values{inputEmail: {v.Actor.User.Snapshot().Email}}
	}
	return s.showSignInForm(w, r, v, status, f)
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	begun, err := s.begun(r)
	if err != nil {
		p := s.explain(w, r, err)
		f := signInForm{
			form: posted(r, p), again: !v.Actor.Anonymous(), next: r.PostForm.Get(inputNext), then: r.PostForm.Get(inputThen),
			pending: pendingOf(r.PostForm),
		}
		return s.showSignInForm(w, r, v, p.status, f)
	}
	browser.Set(w, r, begun.Value, begun.Expires)
	v.BrowserSession = begun
	if then := ownPath(r.PostForm.Get(inputThen)); then != "" {
		s.goOn(w, r, v, then)
		return nil
	}
	return v.redirect(w, ownPath(r.PostForm.Get(inputNext)), "")
}

func (s *server) begun(r *http.Request) (inbound.BrowserSession, error) {
	if err := browser.CheckTransport(r); err != nil {
		return inbound.BrowserSession{}, err
	}
	in := inbound.SignIn{Email: given(r, inputEmail), Password: given(r, inputPassword)}
	return s.Browser.Begin(r.Context(), in, browser.Read(r))
}

// goOn handles the form that was posted before a sign-in.
func (s *server) goOn(w http.ResponseWriter, r *http.Request, v *visit, then string) {
	next := r.Clone(context.WithValue(r.Context(), visitKey{}, v))
	next.URL = &url.URL{Path: s.path + then}
	next.Form, next.PostForm = nil, pendingOf(r.PostForm)
	s.mux.ServeHTTP(w, next)
}

func pendingOf(posted url.Values) url.Values {
	pending := url.Values{}
	for name, values := range posted {
		if own, ok := strings.CutPrefix(name, thenPrefix); ok {
			pending[own] = values
		}
	}
	return pending
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request, v *visit) error {
	browser.Clear(w, r)                          // even if the session cannot be ended now
	w.Header().Set("Clear-Site-Data", `"cache"`) // with it, the pages that the browser would show when going back
	if err := s.Browser.End(r.Context(), browser.Read(r)); err != nil {
		return err
	}
	v.BrowserSession = inbound.BrowserSession{}
	return v.redirect(w, signInPath, "signed_out")
}

// nextPath returns the page to show after a sign-in: this one, or the page with the form that was posted.
func (v *visit) nextPath(r *http.Request) string {
	at := r.URL
	if r.Method == http.MethodPost || v.scripted {
		from, err := url.Parse(r.Referer())
		if err != nil || from.Host != r.Host {
			return ""
		}
		at = from
	}
	_, path, ok := strings.Cut(at.Path, v.area.path)
	if !ok || at.RawQuery == "" {
		return path
	}
	return path + "?" + at.RawQuery
}

// ownPath returns a path below Path as a client sent it, "" for one that could lead elsewhere or to the sign-in.
func ownPath(path string) string {
	u, err := url.Parse("/" + path)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.Contains(u.Path, "..") || strings.ContainsAny(path, "\\:") ||
		strings.HasPrefix(path, "/") || strings.HasPrefix(path, signInPath) || strings.HasPrefix(path, signOutPath) {
		return ""
	}
	return path
}
