package console

import (
	"errors"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"roster/adapters/browser"
	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// AccountPath is where the pages of one's own account are served.
const AccountPath = "/account/"

// The pages of one's own account, and the targets of their forms.
const (
	ownPagePath        = "./"
	changePasswordPath = "change-password/"
	changeEmailPath    = "change-email/"
)

// Inputs of these forms, named as the fields of the use cases.
const (
	inputCurrent     = "current_password"
	inputNewPassword = "new_password"
	inputRepetition  = "re_new_password"
	inputNewEmail    = "new_email"
)

var accountSections = []section{{ownPagePath, "My account"}, {changePasswordPath, "Password"}, {changeEmailPath, "Email address"}}

var accountRoutes = []route{
	{http.MethodGet, "", (*server).showAccount, false},
	{http.MethodPost, "", (*server).saveAccount, false},
	{http.MethodGet, changePasswordPath, (*server).showPassword, false},
	{http.MethodPost, changePasswordPath, (*server).changePassword, false},
	{http.MethodGet, changeEmailPath, (*server).showEmail, false},
	{http.MethodPost, changeEmailPath, (*server).changeEmail, false},
	{http.MethodPost, endSessionPath, (*server).endOwnSession, false},
	{http.MethodPost, endAllPath, (*server).endOwnSessions, false},
}

// NewAccount returns the handler of the pages of one's own account, for every user. It answers requests for paths below
// AccountPath, which must have an inbound.Origin.
func NewAccount(p Ports, s Settings, log *zap.Logger) (http.Handler, error) {
	p.HasAdministrator = nil // the sign-in does not show that there is none
	of := area{path: AccountPath, sections: accountSections, admits: func(inbound.Actor) bool { return true }}
	return newArea(p, s, of, log, signInRoutes, accountRoutes)
}

// ownInputs are the fields that users change at once.
var ownInputs = slices.DeleteFunc(slices.Clone(userInputs), func(in input) bool { return in.name == user.FieldEmail })

// accountView is what the page of one's own account shows.
type accountView struct {
	userView

	byStaff []audit.Event // what staff and the operator did
}

// The pages of one's own account, before they have a body.
var (
	ownPage      = page{title: "My account", section: ownPagePath}
	passwordPage = page{title: "Change your password", section: changePasswordPath}
	emailPage    = page{title: "Change your email address", section: changeEmailPath}
)

func (s *server) viewAccount(r *http.Request, v *visit) (view accountView, err error) {
	u := v.Actor.User.Snapshot()
	view = accountView{userView: userView{user: u, own: true, current: v.Actor.Session, form: formOf(u)}}
	if view.sessions, err = s.Sessions.List(r.Context(), v.Actor, session.Query{Limit: shownSessions + 1}); err != nil {
		return view, err
	}
	view.moreSessions = len(view.sessions) > shownSessions
	view.sessions = view.sessions[:min(len(view.sessions), shownSessions)]
	view.byStaff, err = s.Trail.DoneToMe(r.Context(), v.Actor, shownEvents)
	return view, err
}

func (s *server) showAccount(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := s.viewAccount(r, v)
	if err != nil {
		return err
	}
	p := ownPage
	p.body = accountPage(v, view)
	return s.show(r.Context(), w, v, p)
}

// saveAccount changes the fields that the user changed on the page.
func (s *server) saveAccount(w http.ResponseWriter, r *http.Request, v *visit) error {
	in, _ := changedFields(r, fieldsOf(v.Actor.User.Snapshot()))
	in.Email = field.Text{} // it has its own page
	_, err := s.Accounts.Change(r.Context(), v.Actor, v.Actor.ID(), func() (inbound.Changes, error) {
		return inbound.Changes{UserInput: in}, nil
	})
	if err == nil {
		return v.redirect(w, "", "saved")
	}
	view, unread := s.viewAccount(r, v)
	if unread != nil {
		return unread
	}
	return s.inPlace(w, r, v, err, ownPage, func(p *page, f form) {
		view.form = f
		p.body = accountPage(v, view)
	})
}

func (s *server) showPassword(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := passwordPage
	p.body = changePasswordPage(v, form{})
	return s.show(r.Context(), w, v, p)
}

func (s *server) changePassword(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := s.Accounts.ChangePassword(r.Context(), v.Actor, inbound.PasswordChange{
		NewPassword: inbound.NewPassword{Password: given(r, inputNewPassword), Retyped: given(r, inputRepetition), Retype: true},
		Current:     given(r, inputCurrent),
	})
	if err == nil {
		return v.redirect(w, "", "own_password_set")
	}
	return s.inPlace(w, r, v, err, passwordPage, func(p *page, f form) { p.body = changePasswordPage(v, f) })
}

func (s *server) showEmail(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := emailPage
	p.body = changeEmailPage(v, form{}, s.Links != nil)
	return s.show(r.Context(), w, v, p)
}

// changeEmail mails a link to the new address. Without mail, no address can be proven, and staff change it.
func (s *server) changeEmail(w http.ResponseWriter, r *http.Request, v *visit) error {
	if s.Links == nil {
		return errNoPage
	}
	err := browser.CountMail(r.Context())
	if err == nil {
		err = s.Links.RequestEmailChange(r.Context(), v.Actor, inbound.NewEmail{
			Email: given(r, inputNewEmail), CurrentPassword: given(r, inputCurrent),
		})
	}
	if err == nil {
		return v.redirect(w, "", "email_requested")
	}
	return s.inPlace(w, r, v, err, emailPage, func(p *page, f form) { p.body = changeEmailPage(v, f, true) })
}

// endOwnSession ends one session. With that of the visit, the visitor is signed out.
func (s *server) endOwnSession(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := session.ID(r.PostForm.Get(inputSession))
	if id == v.Actor.Session {
		return s.signOut(w, r, v)
	}
	if err := s.Sessions.End(r.Context(), v.Actor, id); err != nil && !errors.Is(err, session.ErrNotFound) {
		return err
	}
	return v.redirect(w, "", "session_ended")
}

func (s *server) endOwnSessions(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := s.Sessions.EndAll(r.Context(), v.Actor, ""); err != nil {
		return err
	}
	browser.Clear(w, r)
	return v.redirect(w, signInPath, "own_sessions_ended")
}

// byStaff names the cause of an event of accountView.byStaff.
func byStaff(e audit.Event) string { return or(byOf(e), "an administrator") }
