package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/inbound"
)

// Djoser are the settings of the paths of djoser (https://djoser.readthedocs.io, 2.1.0). The flags have the names of its
// own settings.
type Djoser struct {
	Path                       string // such as /auth; "" to serve none
	UserCreatePasswordRetype   bool
	SetPasswordRetype          bool
	PasswordResetConfirmRetype bool
	SetUsernameRetype          bool
	TokenLogin                 bool // token/login/ and token/logout/ of djoser.urls.authtoken
}

// djoserMessages are the faults in which djoser and the use cases differ, by code.
var djoserMessages = map[string]fault.Field{
	"password_incorrect": {Message: "Invalid password."},
}

// djoserOrder is the order of members in djoser's faults.
var djoserOrder = []string{
	"first_name", "last_name", "email", "password", "re_password", "uid", "token", "new_password", "re_new_password",
	"current_password", "new_email", "re_new_email",
}

// djoserBodies has, by the code of an error, the bodies that are no object in djoser.
var djoserBodies = map[string]any{
	inbound.ErrAddressUnknown.Code: []string{inbound.ErrAddressUnknown.Message},
	inbound.ErrActivationOff.Code:  nil,
}

// linkForm returns the form of the paths below /api/users/ that djoser has too: users as elsewhere below /api/, the rest
// as djoser's.
func (s *server) linkForm() *form {
	f := s.api()
	f.currentFirst, f.faults, f.order = true, djoserMessages, djoserOrder
	return f
}

// djoserUser is a user in a response of djoser, with its members in djoser's order.
type djoserUser struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	ID        wireID `json:"id"`
	Email     string `json:"email"`
}

func toDjoserUser(u *user.User) djoserUser {
	s := u.Snapshot()
	return djoserUser{s.FirstName, s.LastName, wireID(s.ID), s.Email}
}

// newDjoserUser returns the body after a registration, which has another order.
func newDjoserUser(u *user.User) any {
	s := u.Snapshot()
	return struct {
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
		Email     string `json:"email"`
		ID        wireID `json:"id"`
	}{s.FirstName, s.LastName, s.Email, wireID(s.ID)}
}

// djoserForm returns the form of djoser's paths.
func (s *server) djoserForm() *form {
	return &form{
		accounts: s.DjoserAccounts, numbered: true, unfiltered: true, namesOnly: true, confirmDeletion: true, currentFirst: true,
		retype: retyped{
			registration: s.Djoser.UserCreatePasswordRetype, setPassword: s.Djoser.SetPasswordRetype,
			resetPassword: s.Djoser.PasswordResetConfirmRetype, setEmail: s.Djoser.SetUsernameRetype,
		},
		order: djoserOrder, faults: djoserMessages, bodies: djoserBodies, user: boxed(toDjoserUser), users: each(toDjoserUser),
		newUser: newDjoserUser,
	}
}

// djoserRoutes returns djoser's routes: djoser.urls and djoser.urls.jwt. Those that mail need Ports.Links.
func (s *server) djoserRoutes() []route {
	if s.Djoser.Path == "" {
		return nil
	}
	f := s.djoserForm()
	base := s.Djoser.Path + "/users/"
	one := resource{
		name: "User Instance", description: usersDescription, authenticate: true, methods: s.userMethods(), actions: noActions, form: f,
	}
	root := resource{
		name: "Api Root", authenticate: true, actions: noActions,
		methods: []method{{http.MethodGet, func(w http.ResponseWriter, r *http.Request, _ call) error {
			s.writeJSON(w, r, http.StatusOK, map[string]string{"users": s.base(r) + base})
			return nil
		}}},
	}
	routes := []route{
		{base, resource{
			name: "User List", description: usersDescription, authenticate: true,
			anonymous: map[string]bool{http.MethodPost: true}, scope: scopeRegister,
			methods: []method{{http.MethodGet, s.listUsers}, {http.MethodPost, s.registerUser}}, actions: noActions, form: f,
		}},
		{base + "me/", one},
		s.setPasswordRoute(base, f),
	}
	if s.Links != nil {
		routes = append(routes, s.linkRoutes(base, f)...)
	}
	routes = append(routes, route{base + "{id:[^/.]+}/", one})
	routes = append(routes, route{s.Djoser.Path + "/", root})
	for _, r := range routes { // as routers of DRF do
		path := strings.TrimSuffix(r.path, "/") + ".{format:[a-z0-9]+}"
		if r.path == s.Djoser.Path+"/" {
			path = r.path + ".{format:[a-z0-9]+}"
		}
		routes = append(routes, route{path, r.resource}, route{path + "/", r.resource})
	}
	for _, m := range []method{{"create", s.signIn}, {"refresh", s.refresh}, {"verify", s.verify}} {
		res := resource{
			name: "Token", scope: scopeToken, methods: []method{{http.MethodPost, m.handle}}, actions: noActions, form: f,
		}
		path := s.Djoser.Path + "/jwt/" + m.name
		routes = append(routes, route{path, res}, route{path + "/", res}, // both, so that none redirects
			route{path + "{rest:.*}", res}) // such as .json: djoser's patterns of these paths have no end
	}
	if s.Djoser.TokenLogin {
		routes = append(routes, s.tokenLoginRoutes()...)
	}
	return routes
}

// tokenLoginRoutes returns the routes of djoser.urls.authtoken. Its token is an access token here, so it expires.
func (s *server) tokenLoginRoutes() []route {
	f := s.djoserForm()
	f.signIn = func(_ http.ResponseWriter, r *http.Request, m members) (any, error) {
		pair, err := s.Authentication.SignIn(r.Context(), inbound.SignIn{Email: m["email"], Password: m["password"]})
		if errors.Is(err, inbound.ErrNoAccount) {
			return nil, errUnableToLogIn
		}
		return struct {
			Token string `json:"auth_token"`
		}{pair.Access}, err
	}
	login := resource{
		name: "Token Create", scope: scopeToken, methods: []method{{http.MethodPost, s.signIn}}, actions: noActions, form: f,
	}
	logout := post("Token Destroy", "Ends the session of the token.", false, "", struct{}{},
		func(w http.ResponseWriter, r *http.Request, c call) error {
			if err := s.Sessions.End(r.Context(), c.actor, c.actor.Session); err != nil {
				return err
			}
			return s.accept(w, r, c)
		}, f)
	base := s.Djoser.Path + "/token/"
	return []route{{base + "login", login}, {base + "login/", login}, {base + "logout", logout}, {base + "logout/", logout}}
}
