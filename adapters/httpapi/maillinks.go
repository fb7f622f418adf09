package httpapi

import (
	"context"
	"net/http"

	"roster/domain/user"
	"roster/ports/inbound"
)

// Descriptions in the response to OPTIONS.
const (
	activationDescription    = "Takes uid and token of a mailed link, and activates the account."
	resendDescription        = "Takes an email address, and mails another link to activate its account."
	resetDescription         = "Takes an email address, and mails a link to choose a new password."
	resetConfirmDescription  = "Takes uid and token of a mailed link and a new password."
	setPasswordDescription   = "Takes the current password and a new one, and ends the other sessions."
	setEmailDescription      = "Takes the current password and an email address, and mails a link that puts it to use."
	emailConfirmDescription  = "Takes uid and token of a mailed link, and changes the email address."
	emailUndoDescription     = "Takes uid and token of a mailed link, and undoes a change of the email address."
	inviteDescription        = "List the invitations that wait, and invite a user."
	invitationDescription    = "Mail an invitation again, and revoke it."
	passwordResetDescription = "Mails a user a link to choose a new password."
)

var (
	addressFields = struct {
		Email fieldInfo `json:"email"`
	}{requiredField("email", "Email address", user.MaxEmail)}
	linkFields = struct {
		UID   fieldInfo `json:"uid"`
		Token fieldInfo `json:"token"`
	}{requiredField("string", "Uid", 0), requiredField("string", "Token", 0)}
	resetFields = struct {
		UID   fieldInfo `json:"uid"`
		Token fieldInfo `json:"token"`
		New   fieldInfo `json:"new_password"`
	}{requiredField("string", "Uid", 0), requiredField("string", "Token", 0), requiredField("string", "New password", 0)}
	newEmailFields = struct {
		Current fieldInfo `json:"current_password"`
		New     fieldInfo `json:"new_email"`
	}{requiredField("string", "Current password", 0), requiredField("email", "New email", user.MaxEmail)}
)

// operation returns the handler of a use case that takes a body and returns nothing.
func (s *server) operation(do func(ctx context.Context, c call, m members) error) handler {
	return func(w http.ResponseWriter, r *http.Request, c call) error {
		m, err := s.input(w, r, c)
		if err != nil {
			return err
		}
		if err := do(r.Context(), c, m); err != nil {
			return err
		}
		return s.accept(w, r, c)
	}
}

func linkOf(m members) inbound.Link { return inbound.Link{UID: m["uid"], Token: m["token"]} }

// post returns a resource that takes POST only. An open one needs no authentication. fields may be nil.
func post(name, description string, open bool, scope string, fields any, handle handler, f *form) resource {
	res := resource{
		name: name, description: description, authenticate: true, scope: scope,
		methods: []method{{http.MethodPost, handle}}, actions: postActions(fields), form: f,
	}
	if fields == nil {
		res.actions = noActions
	}
	if open {
		res.anonymous = map[string]bool{http.MethodPost: true}
	}
	return res
}

// linkRoutes returns the routes below base that mail links and follow them. Forms f name and answer as djoser does.
func (s *server) linkRoutes(base string, f *form) []route {
	return []route{
		{base + "activation/", post("Activation", activationDescription, true, scopeToken, linkFields,
			s.operation(func(ctx context.Context, _ call, m members) error { return s.Links.Activate(ctx, linkOf(m)) }), f)},
		{base + "resend_activation/", post("Resend Activation", resendDescription, true, scopeMail, addressFields,
			s.operation(func(ctx context.Context, _ call, m members) error { return s.Links.RequestActivation(ctx, m["email"]) }), f)},
		{base + "reset_password/", post("Reset Password", resetDescription, true, scopeMail, addressFields,
			s.operation(func(ctx context.Context, _ call, m members) error {
				return s.Links.RequestPasswordReset(ctx, m["email"])
			}), f)},
		{base + "reset_password_confirm/", post("Reset Password Confirm", resetConfirmDescription, true, scopeToken, resetFields,
			s.operation(func(ctx context.Context, c call, m members) error {
				return s.Links.ResetPassword(ctx, linkOf(m), newPassword(m, c.form.retype.resetPassword))
			}), f)},
		{base + "set_email/", post("Set Email", setEmailDescription, false, scopeMail, newEmailFields, s.setEmail, f)},
		{base + "set_email_confirm/", post("Set Email Confirm", emailConfirmDescription, true, scopeToken, linkFields,
			s.operation(func(ctx context.Context, _ call, m members) error { return s.Links.ConfirmEmailChange(ctx, linkOf(m)) }), f)},
		{base + "set_email_undo/", post("Set Email Undo", emailUndoDescription, true, scopeToken, linkFields,
			s.operation(func(ctx context.Context, _ call, m members) error { return s.Links.UndoEmailChange(ctx, linkOf(m)) }), f)},
	}
}

// setPasswordRoute returns the route below base that changes the actor's own password.
func (s *server) setPasswordRoute(base string, f *form) route {
	return route{base + "set_password/", post("Set Password", setPasswordDescription, false, "", newPasswordFields, s.changePassword, f)}
}

// invitationRoutes returns the routes of staff that mail links.
func (s *server) invitationRoutes(f *form) []route {
	return []route{
		{"/api/users/invite/", resource{
			name: "Invitation List", description: inviteDescription, authenticate: true, form: f,
			methods: []method{{http.MethodGet, s.listInvitations}, {http.MethodPost, s.invite}}, actions: noActions,
		}},
		{userPath + "invite/", resource{
			name: "Invitation", description: invitationDescription, authenticate: true, form: f, actions: noActions,
			methods: []method{
				{http.MethodPost, s.ofUser(func(ctx context.Context, a inbound.Actor, id user.ID) error {
					return s.Links.ResendInvitation(ctx, a, id)
				})},
				{http.MethodDelete, s.ofUser(func(ctx context.Context, a inbound.Actor, id user.ID) error {
					return s.Links.RevokeInvitation(ctx, a, id)
				})},
			},
		}},
		{userPath + "reset_password/", resource{
			name: "Password Reset", description: passwordResetDescription, authenticate: true, form: f, actions: noActions,
			methods: []method{{http.MethodPost, s.ofUser(func(ctx context.Context, a inbound.Actor, id user.ID) error {
				return s.Links.StartPasswordReset(ctx, a, id)
			})}},
		}},
	}
}

// setEmail asks for a change of the actor's own address. It counts as a registration too, see throttleEmailChange.
func (s *server) setEmail(w http.ResponseWriter, r *http.Request, c call) error {
	m, err := s.input(w, r, c)
	if err == nil {
		err = s.throttleEmailChange(w, r, c.actor, m["new_email"], false) // counted as a mail already
	}
	if err != nil {
		return err
	}
	err = s.Links.RequestEmailChange(r.Context(), c.actor, inbound.NewEmail{
		Email: m["new_email"], Retyped: m["re_new_email"], CurrentPassword: m["current_password"], Retype: c.form.retype.setEmail,
	})
	if err != nil {
		return err
	}
	return s.accept(w, r, c)
}

func (s *server) invite(w http.ResponseWriter, r *http.Request, c call) error {
	u, err := s.Links.Invite(r.Context(), c.actor, func() (inbound.UserInput, error) {
		m, err := s.input(w, r, c)
		return s.userInput(m), err
	})
	if err != nil {
		return err
	}
	s.writeUser(w, r, http.StatusCreated, u, c.form.user)
	return nil
}

// listInvitations lists invited users in the order of ids, from the first one after the id ?after= on.
func (s *server) listInvitations(w http.ResponseWriter, r *http.Request, c call) error {
	var after user.ID
	if text, _ := c.query.get("after"); text != "" {
		id, err := s.parseID(text)
		if err != nil && c.actor.Staff() { // for others the use case refuses
			return errInvalidCursor
		}
		after = id
	}
	size := s.pageSize(c.query)
	users, err := s.Links.Invitations(r.Context(), c.actor, after, size+1)
	if err != nil {
		return err
	}
	page := struct {
		Next    *string `json:"next"`
		Results any     `json:"results"`
	}{Results: c.form.users(users[:min(len(users), size)])}
	if len(users) > size {
		page.Next = s.link(r, c.query.with("after", string(users[size-1].ID())))
	}
	s.writeJSON(w, r, http.StatusOK, page)
	return nil
}

// ofUser returns the handler of a use case about the user in the path that takes no body and returns nothing.
func (s *server) ofUser(do func(ctx context.Context, a inbound.Actor, id user.ID) error) handler {
	return func(w http.ResponseWriter, r *http.Request, c call) error {
		id, err := s.userID(r, c)
		if err != nil {
			return err
		}
		if err := do(r.Context(), c.actor, id); err != nil {
			return err
		}
		return s.accept(w, r, c)
	}
}
