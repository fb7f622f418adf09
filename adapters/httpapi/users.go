package httpapi

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// wireUser is a user on the wire, in the contract's order of members.
type wireUser struct {
	ID         wireID    `json:"id"`
	Email      string    `json:"email"`
	FirstName  string    `json:"first_name"`
	LastName   string    `json:"last_name"`
	IsActive   bool      `json:"is_active"`
	IsStaff    bool      `json:"is_staff"`
	DateJoined wireTime  `json:"date_joined"`
	LastLogin  *wireTime `json:"last_login"`
}

func toWireUser(u *user.User) wireUser {
	s := u.Snapshot()
	w := wireUser{
		ID: wireID(s.ID), Email: s.Email, FirstName: s.FirstName, LastName: s.LastName,
		IsActive: s.Active, IsStaff: s.Staff, DateJoined: wireTime(s.Joined),
	}
	if !s.LastLogin.IsZero() {
		t := wireTime(s.LastLogin)
		w.LastLogin = &t
	}
	return w
}

// wireID is a counted id as a number, any other as text.
type wireID user.ID

// MarshalJSON implements json.Marshaler.
func (id wireID) MarshalJSON() ([]byte, error) {
	if n, ok := user.ID(id).Integer(); ok {
		return strconv.AppendInt(nil, n, 10), nil
	}
	return strconv.AppendQuote(nil, string(id)), nil
}

// wireTime is a time as DRF writes it: six digits of a second, or none when they are zero.
type wireTime time.Time

// MarshalJSON implements json.Marshaler.
func (t wireTime) MarshalJSON() ([]byte, error) {
	layout := `"2006-01-02T15:04:05.000000Z"`
	if time.Time(t).Nanosecond() == 0 {
		layout = `"2006-01-02T15:04:05Z"`
	}
	return time.Time(t).UTC().AppendFormat(nil, layout), nil
}

func input(m members) inbound.UserInput {
	return inbound.UserInput{
		Email: m["email"], Password: m["password"], FirstName: m["first_name"], LastName: m["last_name"],
		CurrentPassword: m["current_password"], Active: m[user.FieldActive], Staff: m[user.FieldStaff],
	}
}

func (s *server) registerUser(w http.ResponseWriter, r *http.Request, c call) error {
	u, err := s.Accounts.Register(r.Context(), c.actor, func() (inbound.UserInput, error) {
		m, err := s.decode(w, r)
		return input(m), err
	})
	if err != nil {
		return err
	}
	s.writeUser(w, r, http.StatusCreated, u)
	return nil
}

func (s *server) getUser(w http.ResponseWriter, r *http.Request, c call) error {
	id, err := s.userID(r, c)
	if err != nil {
		return err
	}
	u, err := s.Accounts.Get(r.Context(), c.actor, id)
	if err != nil {
		return err
	}
	s.writeUser(w, r, http.StatusOK, u)
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
	u, err := s.Accounts.Change(r.Context(), c.actor, id, func() (inbound.Changes, error) {
		m, err := s.decode(w, r)
		if err == nil {
			err = s.throttleEmailChange(w, r, c.actor, m["email"])
		}
		return inbound.Changes{UserInput: input(m), Whole: whole, Versions: ifMatch(r)}, err
	})
	if err != nil {
		return err
	}
	s.writeUser(w, r, http.StatusOK, u)
	return nil
}

func (s *server) deleteUser(w http.ResponseWriter, r *http.Request, c call) error {
	id, err := s.userID(r, c)
	if err != nil {
		return err
	}
	if err := s.Accounts.Delete(r.Context(), c.actor, id, ifMatch(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// changePassword answers a change of one's own password, for the present one.
func (s *server) changePassword(w http.ResponseWriter, r *http.Request, c call) error {
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	if err := s.Accounts.ChangePassword(r.Context(), c.actor, m["current_password"], m["new_password"]); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tell answers with one user and its entity tag.
func (s *server) writeUser(w http.ResponseWriter, r *http.Request, code int, u *user.User) {
	w.Header().Set("ETag", etag(u.Version()))
	s.ok(w, r, code, toWireUser(u))
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// userID returns whom the path names: by id, or as "me". What cannot be an id is not found.
func (s *server) userID(r *http.Request, c call) (user.ID, error) {
	text, ok := mux.Vars(r)["id"]
	if !ok {
		return c.actor.ID(), nil
	}
	return s.parseID(text)
}

func (s *server) parseID(text string) (user.ID, error) {
	if s.PythonIntegers {
		text = strings.TrimPrefix(field.Strip(text), "+")
		if digits := strings.TrimLeft(text, "0"); digits != text && digits != "" {
			text = digits
		}
	}
	return user.ParseID(text)
}

// ourTag is an entity tag that the service gave out, as it may come back from a proxy that compresses
// answers: made weak (nginx, HAProxy), or with the coding behind the version (Apache, Caddy, Jetty).
var entityTag = regexp.MustCompile(`^(?:W/)?"([1-9][0-9]{0,18})(?:(?:--|-|;)(?:gzip|br|zstd|deflate))?"$`)

// ifMatch returns the versions that the If-Match header names (RFC 9110, 13.1.1), nil when there is
// no condition. Tags are compared weakly: a version says all of a user, whatever a proxy made of the
// answer's bytes. A tag that the service never gave out matches nothing.
func ifMatch(r *http.Request) []int64 {
	headers := r.Header.Values("If-Match")
	if len(headers) == 0 {
		return nil
	}
	versions := []int64{}
	for tag := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			return nil // the user is there, or it is not found anyway
		}
		if m := entityTag.FindStringSubmatch(tag); m != nil {
			if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				versions = append(versions, n)
			}
		}
	}
	return versions
}
