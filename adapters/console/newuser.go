package console

import (
	"net/http"

	"roster/domain/user"
	"roster/ports/inbound"
)

const (
	newUserPath = usersPath + "new/"
	invitePath  = usersPath + "invite/"
)

// readInput returns the fields of a user in a form.
func readInput(r *http.Request) inbound.UserInput {
	in := inbound.UserInput{
		Email: given(r, user.FieldEmail), FirstName: given(r, user.FieldFirstName), LastName: given(r, user.FieldLastName),
		Password: given(r, user.FieldPassword), Locale: given(r, user.FieldLocale),
	}
	return in
}

func (s *server) showNewUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.show(r.Context(), w, v, page{title: "New user", section: usersPath, body: newUserPage(v, form{}, s.Links != nil)})
}

func (s *server) createUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	u, err := s.Accounts.Register(r.Context(), v.Actor, func() (inbound.UserInput, error) { return readInput(r), nil })
	if err == nil {
		return v.redirect(w, userPath(u.ID()), "created")
	}
	return s.inPlace(w, r, v, err, page{title: "New user", section: usersPath}, func(p *page, f form) {
		p.body = newUserPage(v, f, s.Links != nil)
	})
}

func (s *server) showInvite(w http.ResponseWriter, r *http.Request, v *visit) error {
	if s.Links == nil {
		return errNoPage
	}
	return s.show(r.Context(), w, v, page{title: "Invite a user", section: usersPath, body: inviteUserPage(v, form{})})
}

func (s *server) invite(w http.ResponseWriter, r *http.Request, v *visit) error {
	if s.Links == nil {
		return errNoPage
	}
	u, err := s.Links.Invite(r.Context(), v.Actor, func() (inbound.UserInput, error) { return readInput(r), nil })
	if err == nil {
		return v.redirect(w, userPath(u.ID()), "invited")
	}
	return s.inPlace(w, r, v, err, page{title: "Invite a user", section: usersPath}, func(p *page, f form) {
		p.body = inviteUserPage(v, f)
	})
}
