package httpapi

import (
	"context"
	"errors"
	"net/http"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/user"
	"roster/ports/inbound"
)

// DjRestAuth are the settings of the paths of dj-rest-auth (https://dj-rest-auth.readthedocs.io, 7.1.1): with USE_JWT on,
// JWT_AUTH_HTTPONLY on with cookies and off without, and OLD_PASSWORD_FIELD_ENABLED on.
type DjRestAuth struct {
	Path         string // such as /dj-rest-auth; "" to serve none
	Verification bool   // a new user must follow a mailed link before the first sign-in
	Cookies      TokenCookies
}

// The errors of dj-rest-auth that the use cases do not have.
var (
	errUnableToLogIn    = invalid("", "no_account", "Unable to log in with provided credentials.")
	errMustIncludeEmail = invalid("", "required", `Must include "email" and "password".`)
	errNotIncluded      = fault.New(fault.Unauthenticated, "", "Refresh token was not included in request data.")
	errNoRefreshToken   = fault.New(fault.Unauthenticated, "token_not_valid", "No valid refresh token found.")
	errNoSuchKey        = &httpError{http.StatusNotFound, "Not found."}
)

const mismatch = "password_mismatch"

// djRestAuthFaults are the faults in which dj-rest-auth and the use cases differ, by code. The strength of a new password is a
// matter of its repetition, as in Django's form.
var djRestAuthFaults = map[string]fault.Field{
	"invalid_uid":               {Message: "Invalid value"},
	"invalid_token":             {Message: "Invalid value"},
	"password_too_similar":      {Name: "new_password2"},
	"password_too_short":        {Name: "new_password2"},
	"password_too_common":       {Name: "new_password2"},
	"password_entirely_numeric": {Name: "new_password2"},
	"password_breached":         {Name: "new_password2"},
	mismatch:                    {Name: "new_password2", Message: "The two password fields didn’t match."},
}

// registrationFaults is djRestAuthFaults for the registration.
var registrationFaults = map[string]fault.Field{
	"unique":               {Message: "User is already registered with this e-mail address."},
	"password_too_similar": {Name: "non_field_errors"},
}

// djRestAuthForm returns the form of dj-rest-auth's paths.
func (s *server) djRestAuthForm() form {
	return form{
		accounts: s.Accounts, namesOnly: true, currentFirst: true, user: toDjRestAuthUser, faults: djRestAuthFaults,
		retype: retyped{setPassword: true, resetPassword: true},
		names: map[string]string{
			"current_password": "old_password", "new_password": "new_password1", "re_new_password": "new_password2",
		},
		order:  []string{"old_password", "new_password1", "new_password2", "uid", "token", "first_name", "last_name"},
		signIn: s.logIn, refreshed: toRefreshed, cookies: true,
	}
}

// registrationForm returns the form of dj-rest-auth's registration.
func (s *server) registrationForm() *form {
	return &form{
		accounts: s.Accounts, cookies: !s.DjRestAuth.Verification, namesOptional: true, retype: retyped{registration: true}, faults: registrationFaults,
		names: map[string]string{"password": "password1", "re_password": "password2"},
		order: []string{"email", "password1", "password2"},
		registered: func(w http.ResponseWriter, r *http.Request, in inbound.UserInput) (any, error) {
			if s.DjRestAuth.Verification {
				return detail("Verification e-mail sent."), nil
			}
			return s.logIn(w, r, members{"email": in.Email, "password": in.Password})
		},
	}
}

// saying returns the form of an operation that answers with a detail.
func (f form) saying(text string) *form {
	f.accepted = detail(text)
	return &f
}

func detail(text string) any {
	return struct {
		Detail string `json:"detail"`
	}{text}
}

type djRestAuthUser struct {
	PK        wireID `json:"pk"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

func toDjRestAuthUser(u *user.User) any {
	s := u.Snapshot()
	return djRestAuthUser{wireID(s.ID), s.Email, s.FirstName, s.LastName}
}

// logIn signs in with the members email, or username in its place, and password.
func (s *server) logIn(w http.ResponseWriter, r *http.Request, m members) (any, error) {
	ctx := r.Context()
	email := m["email"]
	if field.Strip(email.Value()) == "" {
		email = m["username"]
	}
	if field.Strip(email.Value()) == "" && m["password"].Value() != "" {
		return nil, errMustIncludeEmail
	}
	pair, err := s.Authentication.SignIn(ctx, inbound.SignIn{Email: email, Password: m["password"], OnlyAddresses: true})
	if errors.Is(err, inbound.ErrNoAccount) {
		return nil, errUnableToLogIn
	}
	if err != nil {
		return nil, err
	}
	actor, err := s.Authentication.Authenticate(ctx, pair.Access)
	if err != nil {
		return nil, err
	}
	pair = s.keepInCookies(w, r, pair)
	return struct {
		Access  string `json:"access"`
		Refresh string `json:"refresh"`
		User    any    `json:"user"`
	}{pair.Access, pair.Refresh, toDjRestAuthUser(actor.User)}, nil
}

func toRefreshed(p inbound.TokenPair) any {
	body := struct {
		Access         string    `json:"access"`
		Refresh        string    `json:"refresh,omitzero"`
		AccessExpires  wireTime  `json:"access_expiration"`
		RefreshExpires *wireTime `json:"refresh_expiration,omitempty"`
	}{Access: p.Access, Refresh: p.Refresh, AccessExpires: wireTime(p.AccessExpires)}
	if p.Refresh != "" {
		body.RefreshExpires = new(wireTime(p.RefreshExpires))
	}
	return body
}

// verifyEmail activates the account of a key: uid and token of a mailed link, separated by ":".
func (s *server) verifyEmail(ctx context.Context, _ call, m members) error {
	key, _, faults := field.Rule{Name: "key", Required: true}.Check(m["key"])
	if len(faults) > 0 {
		return fault.ErrInvalid.With(faults...)
	}
	err := s.Links.Activate(ctx, linkOfCode(field.Given(key)))
	for _, bad := range []error{link.ErrBadUser, link.ErrBadToken, link.ErrStale, fault.ErrInvalid} {
		if errors.Is(err, bad) {
			return errNoSuchKey
		}
	}
	return err
}

// resetByLink is Links.ResetPassword, which checks the link after the password; dj-rest-auth checks it before.
func (s *server) resetByLink(ctx context.Context, c call, m members) error {
	p := newPassword(m, c.form.retype.resetPassword)
	if p.Password.Value() != "" && p.Retyped.Value() != "" {
		if err := s.Links.CheckLink(ctx, link.PasswordReset, linkOf(m)); err != nil {
			return err
		}
	}
	return s.Links.ResetPassword(ctx, linkOf(m), p)
}

// ignore returns err, or nil if it is ignored: dj-rest-auth answers alike for addresses with and without a user.
func ignore(err, ignored error) error {
	if errors.Is(err, ignored) {
		return nil
	}
	return err
}

// anyMethod is for resources without permissions, where the method is checked first.
var anyMethod = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true,
	http.MethodDelete: true, http.MethodOptions: true,
}

// djRestAuthRoutes returns dj-rest-auth's routes: dj_rest_auth.urls and dj_rest_auth.registration.urls. Those that mail need
// Ports.Links. Each but that of the registration is also there without the closing slash.
func (s *server) djRestAuthRoutes() []route {
	if s.DjRestAuth.Path == "" {
		return nil
	}
	f, base := s.djRestAuthForm(), s.DjRestAuth.Path+"/"
	open := func(name, scope string, fields any, handle handler, f *form) resource {
		res := post(name, "", true, scope, fields, handle, f)
		res.anonymous = anyMethod
		return res
	}
	token := func(name string, fields any, handle handler, noToken error) resource {
		own := f
		own.noToken = noToken
		res := open(name, scopeToken, fields, handle, &own)
		res.authenticate = false // as SimpleJWT's views
		return res
	}
	logout := f.saying("Successfully logged out.")
	logout.noToken = errNotIncluded
	if s.DjRestAuth.Cookies.on() {
		logout.noToken = errNoRefreshCookie
	}
	table := []route{
		{"login", open("Login", scopeToken, obtainFields, s.signIn, &f)},
		{"logout", open("Logout", "", blacklistFields, s.blacklist, logout)},
		{"user", resource{
			name: "User Details", authenticate: true, form: &f, actions: noActions,
			methods: []method{{http.MethodGet, s.getUser}, {http.MethodPut, s.putUser}, {http.MethodPatch, s.patchUser}},
		}},
		{"password/change", post("Password Change", setPasswordDescription, false, "", nil, s.changePassword,
			f.saying("New password has been saved."))},
		{"token/verify", token("Token Verify", verifyFields, s.verify, nil)},
		{"token/refresh", token("Token Refresh", refreshFields, s.refresh, errNoRefreshToken)},
	}
	if s.Links != nil {
		table = append(table,
			route{"password/reset", open("Password Reset", scopeMail, addressFields,
				s.operation(func(ctx context.Context, _ call, m members) error {
					return ignore(s.Links.RequestPasswordReset(ctx, m["email"]), inbound.ErrAddressUnknown)
				}), f.saying("Password reset e-mail has been sent."))},
			route{"password/reset/confirm", open("Password Reset Confirm", scopeToken, nil,
				s.operation(s.resetByLink), f.saying("Password has been reset with the new password."))},
			route{"registration/verify-email", open("Verify Email", scopeToken, nil, s.operation(s.verifyEmail), f.saying("ok"))},
			route{"registration/resend-email", open("Resend Email Verification", scopeMail, addressFields,
				s.operation(func(ctx context.Context, _ call, m members) error {
					err := ignore(s.Links.RequestActivation(ctx, m["email"]), inbound.ErrAddressUnknown)
					return ignore(err, inbound.ErrActivationOff)
				}), f.saying("ok"))})
	}
	routes := make([]route, 0, 2*len(table)+1)
	for _, row := range table {
		routes = append(routes, route{base + row.path, row.resource}, route{base + row.path + "/", row.resource})
	}
	return append(routes, route{base + "registration/", open("Register", scopeRegister, nil, s.registerUser, s.registrationForm())})
}
