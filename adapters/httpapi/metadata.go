package httpapi

import (
	"net/http"

	"roster/domain/user"
)

// Descriptions in the response to OPTIONS (DRF's SimpleMetadata). Those of DRF's and SimpleJWT's views are copied.
const (
	usersDescription    = "Register, list, retrieve, update and delete users."
	meDescription       = "Retrieve, update and delete the signed-in user."
	passwordDescription = "Takes the current password and a new one, and ends the other sessions."
	unlockDescription   = "Deletes the failed sign-ins of a user, so that no client has to wait because of them."
	browserDescription  = "Sign a browser in, tell who is signed in, and sign it out. The session is in a cookie."
	sessionsDescription = "List the places where a user is signed in, and end all of them."
	sessionDescription  = "Sign out one session."
	auditDescription    = "Security events, newest first."
	obtainDescription   = "Takes a set of user credentials and returns an access and refresh JSON web\n" +
		"token pair to prove the authentication of those credentials."
	refreshDescription = "Takes a refresh type JSON web token and returns an access type JSON web\ntoken if the refresh token is valid."
	verifyDescription  = "Takes a token and indicates if it is valid.  This view provides no\n" +
		"information about a token's fitness for a particular use."
	blacklistDescription = "Takes a token and blacklists it. Must be used with the\n`rest_framework_simplejwt.token_blacklist` app installed."
)

// metadata is the response to OPTIONS.
type metadata struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Renders     []string `json:"renders"`
	Parses      []string `json:"parses"`
	Actions     any      `json:"actions,omitzero"`
}

// fieldInfo describes a member of a request body, with its members in DRF's order.
type fieldInfo struct {
	Type      string `json:"type"`
	Required  bool   `json:"required"`
	ReadOnly  bool   `json:"read_only"`
	Label     string `json:"label"`
	HelpText  string `json:"help_text,omitzero"`
	MaxLength int    `json:"max_length,omitzero"`
}

type userFields struct {
	ID              fieldInfo  `json:"id"`
	Email           fieldInfo  `json:"email"`
	Password        fieldInfo  `json:"password"`
	FirstName       fieldInfo  `json:"first_name"`
	LastName        fieldInfo  `json:"last_name"`
	IsActive        fieldInfo  `json:"is_active"`
	IsStaff         fieldInfo  `json:"is_staff"`
	DateJoined      fieldInfo  `json:"date_joined"`
	LastLogin       fieldInfo  `json:"last_login"`
	EmailVerified   *fieldInfo `json:"email_verified,omitempty"`
	Locale          *fieldInfo `json:"locale,omitempty"`
	CurrentPassword *fieldInfo `json:"current_password,omitempty"`
}

func requiredField(kind, label string, maxLength int) fieldInfo {
	return fieldInfo{Type: kind, Required: true, Label: label, MaxLength: maxLength}
}

func readOnlyField(kind, label, help string) fieldInfo {
	return fieldInfo{Type: kind, ReadOnly: true, Label: label, HelpText: help}
}

func (s *server) userFields() userFields {
	id := "string"
	if s.IntegerIDs {
		id = "integer"
	}
	f := userFields{
		ID:        readOnlyField(id, "ID", ""),
		Email:     requiredField("email", "Email address", user.MaxEmail),
		Password:  requiredField("string", "Password", s.PasswordMaxLength),
		FirstName: requiredField("string", "First name", user.MaxName),
		LastName:  requiredField("string", "Last name", user.MaxName),
		IsActive: readOnlyField("boolean", "Active",
			"Designates whether this user should be treated as active. Unselect this instead of deleting accounts."),
		IsStaff:    readOnlyField("boolean", "Staff status", "Designates whether the user can log into this admin site."),
		DateJoined: readOnlyField("datetime", "Date joined", ""),
		LastLogin:  readOnlyField("datetime", "Last login", ""),
	}
	if s.MailMembers {
		f.EmailVerified = new(readOnlyField("boolean", "Email verified", ""))
		f.Locale = &fieldInfo{Type: "string", Label: "Locale", MaxLength: user.MaxLocale}
	}
	return f
}

type postAction struct {
	POST any `json:"POST"`
}

type putAction struct {
	PUT any `json:"PUT"`
}

func (s *server) usersActions(*http.Request, call) (any, error) {
	return postAction{s.userFields()}, nil
}

// userActions describes a change of the user, if it exists and the actor may change it.
func (s *server) userActions(r *http.Request, c call) (any, error) {
	id, err := s.userID(r, c)
	if err == nil {
		err = s.Accounts.MayChange(r.Context(), c.actor, id)
	}
	if err != nil {
		if explain(err).status >= http.StatusInternalServerError {
			return nil, err
		}
		return nil, nil //nolint:nilnil // then there is no action to describe
	}
	f := s.userFields()
	if s.ConfirmPassword {
		f.CurrentPassword = &fieldInfo{Type: "string", Label: "Current password"}
	}
	return putAction{f}, nil
}

var (
	obtainFields = struct {
		Email    fieldInfo `json:"email"`
		Password fieldInfo `json:"password"`
	}{requiredField("string", "Email", 0), requiredField("string", "Password", 0)}
	refreshFields = struct {
		Refresh fieldInfo `json:"refresh"`
		Access  fieldInfo `json:"access"`
	}{requiredField("string", "Refresh", 0), readOnlyField("string", "Access", "")}
	verifyFields = struct {
		Token fieldInfo `json:"token"`
	}{requiredField("string", "Token", 0)}
	newPasswordFields = struct {
		Current fieldInfo `json:"current_password"`
		New     fieldInfo `json:"new_password"`
	}{requiredField("string", "Current password", 0), requiredField("string", "New password", 0)}
	blacklistFields = struct {
		Refresh fieldInfo `json:"refresh"`
	}{requiredField("string", "Refresh", 0)}
)

func postActions(fields any) func(*http.Request, call) (any, error) {
	return func(*http.Request, call) (any, error) { return postAction{fields}, nil }
}

func noActions(*http.Request, call) (any, error) { return nil, nil } //nolint:nilnil // no method takes a body

func (s *server) options(res resource) handler {
	return func(w http.ResponseWriter, r *http.Request, c call) error {
		m := metadata{
			Name: res.name, Description: res.description,
			Renders: []string{"application/json"}, Parses: []string{"application/json"},
		}
		if s.AcceptForms {
			m.Parses = append(m.Parses, "application/x-www-form-urlencoded", "multipart/form-data")
		}
		var err error
		if m.Actions, err = res.actions(r, c); err != nil {
			return err
		}
		s.writeJSON(w, r, http.StatusOK, m)
		return nil
	}
}
