package httpapi

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// userInput returns the fields of a user in m. The profile without user.FieldLocale ignores it.
func (s *server) userInput(m members) inbound.UserInput {
	in := inbound.UserInput{
		Email: m["email"], Password: m["password"], FirstName: m["first_name"], LastName: m["last_name"],
		CurrentPassword: m["current_password"], Active: m[user.FieldActive], Staff: m[user.FieldStaff], Retyped: m["re_password"],
	}
	if s.MailMembers {
		in.Locale = m[user.FieldLocale]
	}
	return in
}

// registrationAccepted is the body after a registration that does not show whether the address has an account.
var registrationAccepted = map[string]string{"detail": "A mail with the next step was sent to the address."}

func (s *server) registerUser(w http.ResponseWriter, r *http.Request, c call) error {
	if err := s.checkTokenCookies(r, c.form); err != nil {
		return err
	}
	var in inbound.UserInput
	u, err := c.form.accounts.Register(r.Context(), c.actor, func() (inbound.UserInput, error) {
		m, err := s.input(w, r, c)
		in = s.userInput(m)
		in.Retype, in.NamesOptional = c.form.retype.registration, c.form.namesOptional
		return in, err
	})
	if err != nil {
		return err
	}
	if c.form.registered != nil {
		body, err := c.form.registered(w, r, in)
		if err != nil {
			return err
		}
		s.writeJSON(w, r, http.StatusCreated, body)
		return nil
	}
	if u == nil {
		s.writeJSON(w, r, http.StatusAccepted, registrationAccepted)
		return nil
	}
	body := c.form.user
	if c.form.newUser != nil {
		body = c.form.newUser
	}
	s.writeUser(w, r, http.StatusCreated, u, body)
	return nil
}

func (s *server) getUser(w http.ResponseWriter, r *http.Request, c call) error {
	id, err := s.userID(r, c)
	if err != nil {
		return err
	}
	u, err := c.form.accounts.Get(r.Context(), c.actor, id)
	if err != nil {
		return err
	}
	s.writeUser(w, r, http.StatusOK, u, c.form.user)
	return nil
}

func (s *server) putUser(w http.ResponseWriter, r *http.Request, c call) error {
	return s.changeUser(w, r, c, true)
}

func (s *server) patchUser(w http.ResponseWriter, r *http.Request, c call) error {
	return s.changeUser(w, r, c, false)
}

func (s *server) changeUser(w http.ResponseWriter, r *http.Request, c call, whole bool) error {
	id, err := s.userID(r, c)
	if err != nil {
		return err
	}
	u, err := c.form.accounts.Change(r.Context(), c.actor, id, func() (inbound.Changes, error) {
		m, err := s.input(w, r, c)
		in := inbound.Changes{UserInput: s.userInput(m), Full: whole, Versions: ifMatch(r)}
		switch {
		case c.form.namesOnly:
			in.NamesOnly, in.UserInput = true, inbound.UserInput{FirstName: m["first_name"], LastName: m["last_name"]}
		case err == nil:
			err = s.throttleEmailChange(w, r, c.actor, m["email"], s.Throttling.RegistrationMails)
		}
		return in, err
	})
	if err != nil {
		return err
	}
	s.writeUser(w, r, http.StatusOK, u, c.form.user)
	return nil
}

func (s *server) deleteUser(w http.ResponseWriter, r *http.Request, c call) error {
	id, err := s.userID(r, c)
	if err != nil {
		return err
	}
	err = c.form.accounts.Delete(r.Context(), c.actor, id, func() (inbound.Deletion, error) {
		in := inbound.Deletion{Versions: ifMatch(r), Confirm: c.form.confirmDeletion}
		if !in.Confirm {
			return in, nil
		}
		m, err := s.input(w, r, c)
		in.Current = m["current_password"]
		return in, err
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// changePassword changes the actor's own password, which needs the current one.
func (s *server) changePassword(w http.ResponseWriter, r *http.Request, c call) error {
	m, err := s.input(w, r, c)
	if err != nil {
		return err
	}
	in := inbound.PasswordChange{
		NewPassword: newPassword(m, c.form.retype.setPassword), Current: m["current_password"], CurrentFirst: c.form.currentFirst,
	}
	if err := c.form.accounts.ChangePassword(r.Context(), c.actor, in); err != nil {
		return err
	}
	return s.accept(w, r, c)
}

func newPassword(m members, retype bool) inbound.NewPassword {
	return inbound.NewPassword{Password: m["new_password"], Retyped: m["re_new_password"], Retype: retype}
}

// writeUser writes a user and its entity tag.
func (s *server) writeUser(w http.ResponseWriter, r *http.Request, code int, u *user.User, body func(*user.User) any) {
	w.Header().Set("ETag", etag(u.Version()))
	s.writeJSON(w, r, code, body(u))
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// userID returns the user id in the path, or the actor's for /api/users/me/. Text that is no id gives user.ErrNotFound.
func (s *server) userID(r *http.Request, c call) (user.ID, error) {
	text, ok := mux.Vars(r)["id"]
	if !ok {
		return c.actor.ID(), nil
	}
	return s.parseID(text)
}

// parseID parses a user id. With PythonIntegers it accepts what Python's int does: spaces, a plus sign, leading zeros.
func (s *server) parseID(text string) (user.ID, error) {
	if s.PythonIntegers {
		text = strings.TrimPrefix(field.Strip(text), "+")
		if digits := strings.TrimLeft(text, "0"); digits != text && digits != "" {
			text = digits
		}
	}
	return user.ParseID(text)
}

// entityTag matches an entity tag of this service, also as changed by a proxy that compresses responses: made weak
// (nginx, HAProxy) or with the coding after the version (Apache, Caddy, Jetty).
var entityTag = regexp.MustCompile(`^(?:W/)?"([1-9][0-9]{0,18})(?:(?:--|-|;)(?:gzip|br|zstd|deflate))?"$`)

// ifMatch returns the versions that the If-Match header names (RFC 9110, 13.1.1), nil if there is no condition. It
// accepts weak tags: the version identifies the state of the user, however a proxy encoded the response. Any other tag
// matches no version.
func ifMatch(r *http.Request) []int64 {
	headers := r.Header.Values("If-Match")
	if len(headers) == 0 {
		return nil
	}
	versions := []int64{}
	for tag := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			return nil // any version: a missing user is an error anyway
		}
		if m := entityTag.FindStringSubmatch(tag); m != nil {
			if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				versions = append(versions, n)
			}
		}
	}
	return versions
}
