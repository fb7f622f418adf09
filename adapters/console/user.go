package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// The targets of the forms of a user, below its page.
const (
	activePath     = "active/"
	staffPath      = "staff/"
	resetPath      = "reset/"
	passwordPath   = "password/"
	deletePath     = "delete/"
	endAllPath     = "end-sessions/"
	endSessionPath = "end-session/"
	invitationPath = "invitation/"
	unlockPath     = "unlock/"
)

// Inputs of these forms.
const (
	inputOn      = "on"
	inputVersion = "version"
	inputConfirm = "confirm"
	inputSession = "session"
	// inputBefore is the prefix of the values that a form had at first, by which a change by another is found.
	inputBefore = "before."
)

const userPattern = usersPath + "{id}/"

func userPath(id user.ID) string { return usersPath + string(id) + "/" }

var userRoutes = []route{
	{http.MethodGet, userPattern, (*server).showUser, false},
	{http.MethodPost, userPattern, (*server).saveUser, false},
	{http.MethodPost, userPattern + activePath, (*server).setActive, false},
	{http.MethodPost, userPattern + staffPath, (*server).setStaff, false},
	{http.MethodPost, userPattern + resetPath, (*server).resetPassword, false},
	{http.MethodPost, userPattern + passwordPath, (*server).setPassword, false},
	{http.MethodPost, userPattern + invitationPath, (*server).resendInvitation, false},
	{http.MethodPost, userPattern + unlockPath, (*server).unlock, false},
	{http.MethodPost, userPattern + endAllPath, (*server).endSessions, false},
	{http.MethodPost, userPattern + endSessionPath, (*server).endSession, false},
	{http.MethodPost, userPattern + deletePath, (*server).deleteUser, false},
}

// How many sessions and events the page of a user has.
const (
	shownSessions = 20
	shownEvents   = 25
)

// userView is what the page of a user shows.
type userView struct {
	user         user.Snapshot
	status       inbound.SignInStatus
	self         bool // the visitor
	own          bool // on the page of one's own account
	mails        bool
	form         form   // of the fields
	problem      string // of another form
	password     form
	confirm      form
	sessions     []*session.Session
	moreSessions bool
	current      session.ID
	events       []audit.Event
	moreEvents   bool
}

// target returns the URL of a form of the page.
func (p userView) target(v *visit, path string) templ.SafeURL {
	if p.own {
		return v.to(path)
	}
	return v.toUser(p.user.ID, path)
}

// userInputs are the fields of a user in its form.
var userInputs = slices.Concat([]input{
	{name: user.FieldEmail, label: "Email address", kind: "email", autocomplete: "off", required: true},
}, nameInputs, []input{
	{name: user.FieldLocale, label: "Language of mails", kind: "text", autocomplete: "off",
		help: "A language tag such as de or pt-BR; empty for the default."},
})

// fieldsOf returns the values of userInputs.
func fieldsOf(u user.Snapshot) map[string]string {
	return map[string]string{
		user.FieldEmail: u.Email, user.FieldFirstName: u.FirstName, user.FieldLastName: u.LastName, user.FieldLocale: u.Contact.Locale,
	}
}

// formOf returns the form with the fields of a user as they are.
func formOf(u user.Snapshot) form {
	f := form{values: url.Values{inputVersion: {strconv.FormatInt(u.Version, 10)}}}
	for name, value := range fieldsOf(u) {
		f.values.Set(name, value)
		f.values.Set(inputBefore+name, value)
	}
	return f
}

// find returns the user of a request.
func (s *server) find(r *http.Request, v *visit) (*user.User, error) {
	id, err := user.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.Accounts.Get(r.Context(), v.Actor, id)
}

func (s *server) showUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.showUserWith(w, r, v, http.StatusOK, func(*userView) {})
}

// showUserWith shows the page of a user, changed by change.
func (s *server) showUserWith(w http.ResponseWriter, r *http.Request, v *visit, status int, change func(*userView)) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	view := userView{
		user: u.Snapshot(), self: v.Actor.Is(u.ID()), mails: s.Links != nil, current: v.Actor.Session,
		form: formOf(u.Snapshot()),
	}
	if view.status, err = s.Accounts.SignInStatus(r.Context(), v.Actor, u.ID()); err != nil {
		return err
	}
	view.sessions, err = s.Sessions.List(r.Context(), v.Actor, session.Query{Owner: u.ID(), Limit: shownSessions + 1})
	if err != nil {
		return err
	}
	view.moreSessions = len(view.sessions) > shownSessions
	view.sessions = view.sessions[:min(len(view.sessions), shownSessions)]
	view.events, err = s.Trail.Events(r.Context(), v.Actor, func() (audit.Query, error) {
		return audit.Query{Filter: audit.Filter{User: u.ID()}, Limit: shownEvents + 1}, nil
	})
	if err != nil {
		return err
	}
	view.moreEvents = len(view.events) > shownEvents
	view.events = view.events[:min(len(view.events), shownEvents)]
	change(&view)
	title := or(nameOf(view.user), view.user.Email)
	if status != http.StatusOK {
		title = "Error: " + title
	}
	return s.show(r.Context(), w, v, page{title: title, section: usersPath, status: status, body: oneUserPage(v, view)})
}

// refuse shows the page of a user with what is wrong with one of its forms.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, v *visit, err error, change func(*userView, problem)) error {
	kind := fault.KindOf(err)
	if kind == fault.Unauthenticated || kind == fault.Internal || errors.Is(err, inbound.ErrSignInAgain) || errors.Is(err, user.ErrNotFound) {
		return err
	}
	p := s.explain(w, r, err)
	return s.showUserWith(w, r, v, p.status, func(view *userView) { change(view, p) })
}

// above shows a problem above the page.
func above(view *userView, p problem) {
	view.problem = p.text
	for _, f := range p.fields {
		view.problem = f.Message
	}
}

// done answers a form of a user that took effect, or else shows what is wrong.
func (s *server) done(w http.ResponseWriter, r *http.Request, v *visit, id user.ID, notice string, err error) error {
	if err != nil {
		return s.refuse(w, r, v, err, above)
	}
	return v.redirect(w, userPath(id), notice)
}

// saveUser changes the fields of a user. Only those that the visitor changed are sent. If the user has changed since the
// page was made, but none of the fields on it, the change is made all the same: a sign-in is a change too.
func (s *server) saveUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(r.PostForm.Get(inputVersion), 10, 64)
	if err != nil {
		return errBadForm
	}
	stored := fieldsOf(u.Snapshot())
	in, conflicts := changedFields(r, stored)
	if version != u.Version() && len(conflicts) == 0 {
		version = u.Version()
	}
	if version == u.Version() {
		_, err = s.Accounts.Change(r.Context(), v.Actor, u.ID(), func() (inbound.Changes, error) {
			return inbound.Changes{UserInput: in, Versions: []int64{version}}, nil
		})
	} else {
		err = user.ErrStale
	}
	if err == nil {
		return v.redirect(w, userPath(u.ID()), "saved")
	}
	return s.refuse(w, r, v, err, func(view *userView, p problem) {
		current := view.form
		view.form = posted(r, p)
		if !errors.Is(err, user.ErrStale) {
			return
		}
		// The next attempt is made against what is stored now.
		view.form.problem = "The user was changed in the meantime. Compare the values, then save again: yours replace what is stored."
		view.form.stored = map[string]string{}
		view.form.values = url.Values{inputVersion: current.values[inputVersion]}
		for name, value := range fieldsOf(view.user) {
			view.form.values.Set(name, r.PostForm.Get(name))
			view.form.values.Set(inputBefore+name, value)
			if value != r.PostForm.Get(name) {
				view.form.stored[name] = value
			}
		}
	})
}

// changedFields returns the fields that the visitor changed, and the names of those on the page that another has changed
// since.
func changedFields(r *http.Request, stored map[string]string) (in inbound.UserInput, conflicts []string) {
	for name, text := range map[string]*field.Text{
		user.FieldEmail: &in.Email, user.FieldFirstName: &in.FirstName, user.FieldLastName: &in.LastName, user.FieldLocale: &in.Locale,
	} {
		before, mine := r.PostForm.Get(inputBefore+name), r.PostForm.Get(name)
		if mine != before {
			*text = given(r, name)
		}
		if stored[name] != before && stored[name] != mine {
			conflicts = append(conflicts, name)
		}
	}
	return in, conflicts
}

// setFlag sets a flag of a user. Of two changes at once the last one counts, as the visitor sees it.
func (s *server) setFlag(w http.ResponseWriter, r *http.Request, v *visit, in inbound.UserInput, notices [2]string) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	notice := notices[0]
	if r.PostForm.Get(inputOn) == "true" {
		notice = notices[1]
	}
	_, err = s.Accounts.Change(r.Context(), v.Actor, u.ID(), func() (inbound.Changes, error) {
		return inbound.Changes{UserInput: in}, nil
	})
	return s.done(w, r, v, u.ID(), notice, err)
}

func (s *server) setActive(w http.ResponseWriter, r *http.Request, v *visit) error {
	on := field.Bool(r.PostForm.Get(inputOn) == "true")
	return s.setFlag(w, r, v, inbound.UserInput{Active: on}, [2]string{"deactivated", "activated"})
}

func (s *server) setStaff(w http.ResponseWriter, r *http.Request, v *visit) error {
	on := field.Bool(r.PostForm.Get(inputOn) == "true")
	return s.setFlag(w, r, v, inbound.UserInput{Staff: on}, [2]string{"staff_taken", "staff_given"})
}

func (s *server) resetPassword(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	if s.Links == nil {
		return errNoPage
	}
	return s.done(w, r, v, u.ID(), "reset_sent", s.Links.StartPasswordReset(r.Context(), v.Actor, u.ID()))
}

func (s *server) resendInvitation(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	if s.Links == nil {
		return errNoPage
	}
	return s.done(w, r, v, u.ID(), "invitation_sent", s.Links.ResendInvitation(r.Context(), v.Actor, u.ID()))
}

func (s *server) unlock(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	_, err = s.Accounts.Unlock(r.Context(), v.Actor, u.ID())
	return s.done(w, r, v, u.ID(), "unlocked", err)
}

func (s *server) setPassword(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	_, err = s.Accounts.Change(r.Context(), v.Actor, u.ID(), func() (inbound.Changes, error) {
		// Given even if absent, as in a form that was posted before a sign-in: an absent password would change nothing.
		password := field.Given(r.PostForm.Get(user.FieldPassword))
		return inbound.Changes{UserInput: inbound.UserInput{Password: password}}, nil
	})
	if err != nil {
		return s.refuse(w, r, v, err, func(view *userView, p problem) { view.password = posted(r, p) })
	}
	return v.redirect(w, userPath(u.ID()), "password_set")
}

func (s *server) endSessions(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	return s.done(w, r, v, u.ID(), "sessions_ended", s.Sessions.EndAll(r.Context(), v.Actor, u.ID()))
}

func (s *server) endSession(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	err = s.Sessions.End(r.Context(), v.Actor, session.ID(r.PostForm.Get(inputSession)))
	if errors.Is(err, session.ErrNotFound) {
		err = nil // it has ended by itself
	}
	return s.done(w, r, v, u.ID(), "session_ended", err)
}

// deleteUser deletes a user, if the visitor has typed its address.
func (s *server) deleteUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.find(r, v)
	if err != nil {
		return err
	}
	if field.Strip(r.PostForm.Get(inputConfirm)) != u.Snapshot().Email {
		err = fault.ErrInvalid.With(fault.Field{Name: inputConfirm, Code: "confirm", Message: "This is not the address of the user."})
	} else {
		err = s.Accounts.Delete(r.Context(), v.Actor, u.ID(), func() (inbound.Deletion, error) {
			return inbound.Deletion{Versions: []int64{u.Version()}}, nil // of which the address was compared
		})
	}
	if err != nil {
		return s.refuse(w, r, v, err, func(view *userView, p problem) { view.confirm = posted(r, p) })
	}
	return v.redirect(w, usersPath, "deleted")
}
