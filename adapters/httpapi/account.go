package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"roster/adapters/httpapi/pages"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/link"
	"roster/ports/inbound"
)

// accountPage is a page with a form, and what the form does.
type accountPage struct {
	pages.AccountPage
	act   func(ctx context.Context, m members) error
	asks  bool                        // whether the form asks for a mail, and has no token
	check func(r *http.Request) error // before the form is read; nil for no check
}

// accountPages returns the pages that mailed links lead to. A GET changes nothing, since scanners of mails follow links. A
// POST needs the token of the link, which no other site knows. The form that asks for a link needs none, so it refuses
// requests of other sites.
func (s *server) accountPages() []accountPage {
	follow := func(p pages.AccountPage, act func(context.Context, inbound.Link) error) accountPage {
		return accountPage{AccountPage: p, act: func(ctx context.Context, m members) error { return act(ctx, linkOfCode(m[pages.InputCode])) }}
	}
	return []accountPage{
		follow(pages.Activate, s.Links.Activate),
		{AccountPage: pages.RequestReset, asks: true, check: s.crossOrigin().Check, act: func(ctx context.Context, m members) error {
			return s.Links.RequestPasswordReset(ctx, m[pages.InputEmail])
		}},
		{AccountPage: pages.NewPassword, act: func(ctx context.Context, m members) error {
			l := linkOfCode(m[pages.InputCode])
			if err := s.Links.CheckLink(ctx, link.PasswordReset, l); err != nil { // no password helps then
				return err
			}
			err := s.Links.ResetPassword(ctx, l, newPassword(m, true))
			return renameField(err, "", pages.InputRePassword)
		}},
		follow(pages.ConfirmEmail, s.Links.ConfirmEmailChange),
		follow(pages.UndoEmail, s.Links.UndoEmailChange),
	}
}

// crossOrigin returns the protection against forms of other sites. The origin of PublicURL is this site, also where a proxy
// changes the Host header.
func (s *server) crossOrigin() *http.CrossOriginProtection {
	c := http.NewCrossOriginProtection()
	if u, err := url.Parse(s.PublicURL); err == nil && u.Host != "" {
		_ = c.AddTrustedOrigin(u.Scheme + "://" + u.Host) // fails only for another form
	}
	return c
}

// linkOfCode returns the link of a code, which is the uid and the token, separated by "/" or ":". It also accepts the whole address
// of the link, with the code as its fragment.
func linkOfCode(code field.Text) inbound.Link {
	text := field.Strip(code.Value())
	text = text[strings.LastIndexByte(text, '#')+1:]
	if unescaped, err := url.PathUnescape(text); err == nil { // some mail programs escape the "/"
		text = unescaped
	}
	uid, token := text, text
	if at := strings.IndexAny(text, "/:"); at >= 0 {
		uid, token = text[:at], text[at+1:]
	}
	return inbound.Link{UID: field.Given(uid), Token: field.Given(token)}
}

// accountFiles is where the files of the pages of an account are.
const accountFiles = "/account/files/"

// linkPages returns a function that reports whether a path is that of a page that a mailed link leads to, or of a file of one.
func (s *server) linkPages() func(path string) bool {
	if s.Links == nil {
		return func(string) bool { return false }
	}
	paths := map[string]bool{}
	for _, p := range s.accountPages() {
		paths[p.Path], paths[strings.TrimSuffix(p.Path, "/")] = true, true
	}
	return func(path string) bool {
		name, file := strings.CutPrefix(path, accountFiles)
		if file {
			_, file = pages.AccountFile(name)
		}
		return file || paths[path]
	}
}

// accountRoutes adds the pages of an account, and the address at which password managers look for the page to change a
// password (https://w3c.github.io/webappsec-change-password-url/).
func (s *server) accountRoutes(handle func(path string, h http.HandlerFunc) *mux.Route) {
	for _, p := range s.accountPages() {
		handle(p.Path, func(w http.ResponseWriter, r *http.Request) { s.serveAccountPage(w, r, p) })
		handle(strings.TrimSuffix(p.Path, "/"), s.redirect)
	}
	get := []string{http.MethodGet, http.MethodHead}
	handle(accountFiles+"{file}", func(w http.ResponseWriter, r *http.Request) {
		f, ok := pages.AccountFile(mux.Vars(r)["file"])
		s.writeFile(w, r, f, ok)
	}).Methods(get...)
	handle("/.well-known/change-password", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", s.publicPath(pages.RequestReset.Path))
		w.WriteHeader(http.StatusFound)
	}).Methods(get...)
}

func (s *server) serveAccountPage(w http.ResponseWriter, r *http.Request, p accountPage) {
	h := w.Header()
	h.Set("Allow", "GET, HEAD, POST")
	h.Set("Content-Security-Policy", pages.AccountPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	if p.asks {
		h.Set("Referrer-Policy", "same-origin") // check needs the Origin header, which browsers withhold under no-referrer
	}
	status, page := http.StatusOK, []byte(nil)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		page = p.Form(nil, nil)
	case http.MethodPost:
		form, err := s.postAccountPage(w, r, p)
		if err == nil {
			page = p.Success()
			break
		}
		e := s.prepareFailure(w, r, err)
		status, page = e.status, p.Form(form, pageFaults(err, e))
	default:
		s.fail(w, r, errMethod(r.Method))
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	s.writeBody(w, r, status, page)
}

// postAccountPage does what the form of a page asks for. It returns the values of the form.
func (s *server) postAccountPage(w http.ResponseWriter, r *http.Request, p accountPage) (map[string]string, error) {
	if p.check != nil && p.check(r) != nil {
		return nil, errCrossOrigin
	}
	scope := scopeToken
	if p.asks {
		scope = scopeMail
	}
	if err := s.throttle(w, r, resource{scope: scope}, inbound.Actor{}); err != nil {
		return nil, err
	}
	m, err := s.decodePostedForm(w, r)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, name := range p.Inputs {
		values[name] = m[name].Value()
	}
	return values, p.act(r.Context(), m)
}

// errCrossOrigin refuses a form that another site posted.
var errCrossOrigin = fault.New(fault.Forbidden, "cross_origin", "The form was sent by another site. Send it from this page.")

// pageFaults returns the faults to show on a page. Those of the link are faults of its code, in other words than djoser's.
func pageFaults(err error, e errorResponse) []fault.Field {
	switch {
	case errors.Is(err, link.ErrBadUser) || errors.Is(err, link.ErrBadToken):
		return []fault.Field{{Name: pages.InputCode, Message: "This code is not valid. It may have been used already, or it is too old."}}
	case errors.Is(err, link.ErrStale):
		return []fault.Field{{Message: "This account is active already. You can sign in."}}
	case len(e.fields) == 0:
		return []fault.Field{{Message: e.detail}}
	}
	var out []fault.Field
	for _, f := range e.fields {
		if f.Name == link.FieldUID || f.Name == link.FieldToken {
			f.Name = pages.InputCode
		}
		if !slices.ContainsFunc(out, func(o fault.Field) bool { return o.Name == f.Name && o.Message == f.Message }) {
			out = append(out, f)
		}
	}
	return out
}
