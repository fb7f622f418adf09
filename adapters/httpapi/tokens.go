package httpapi

import (
	"errors"
	"net/http"
	"slices"

	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

func (s *server) signIn(w http.ResponseWriter, r *http.Request, c call) error {
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	if c.form.signIn != nil {
		if err := s.checkTokenCookies(r, c.form); err != nil {
			return err
		}
		body, err := c.form.signIn(w, r, m)
		if err != nil {
			return err
		}
		s.writeJSON(w, r, http.StatusOK, body)
		return nil
	}
	pair, err := s.Authentication.SignIn(r.Context(), inbound.SignIn{Email: m[s.loginField()], Password: m["password"]})
	if err != nil {
		return renameField(err, user.FieldEmail, s.loginField())
	}
	s.writeJSON(w, r, http.StatusOK, struct {
		Refresh string `json:"refresh"`
		Access  string `json:"access"`
	}{pair.Refresh, pair.Access})
	return nil
}

func (s *server) refresh(w http.ResponseWriter, r *http.Request, c call) error {
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	token, err := s.refreshToken(r, c, m)
	if err != nil {
		return err
	}
	pair, err := s.Authentication.Refresh(r.Context(), token)
	if err != nil {
		return c.form.tokenError(err)
	}
	if c.form.cookies {
		pair = s.keepInCookies(w, r, pair)
	}
	if c.form.refreshed != nil {
		s.writeJSON(w, r, http.StatusOK, c.form.refreshed(pair))
		return nil
	}
	s.writeJSON(w, r, http.StatusOK, struct {
		Access  string `json:"access"`
		Refresh string `json:"refresh,omitzero"`
	}{pair.Access, pair.Refresh})
	return nil
}

func (s *server) verify(w http.ResponseWriter, r *http.Request, _ call) error {
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	err = s.Authentication.Verify(r.Context(), m["token"])
	if s.BlacklistedIs400 && errors.Is(err, session.ErrBlacklisted) {
		err = fault.ErrInvalid.With(fault.Field{Code: "invalid", Message: session.ErrBlacklisted.Message})
	}
	if err != nil {
		return err
	}
	s.writeJSON(w, r, http.StatusOK, struct{}{})
	return nil
}

func (s *server) blacklist(w http.ResponseWriter, r *http.Request, c call) error {
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	token, err := s.refreshToken(r, c, m)
	if err != nil {
		return err
	}
	s.clearTokenCookies(w, r, c)
	if err := s.Authentication.SignOut(r.Context(), token); err != nil {
		return c.form.tokenError(err)
	}
	if c.form.accepted != nil {
		return s.accept(w, r, c)
	}
	s.writeJSON(w, r, http.StatusOK, struct{}{})
	return nil
}

// renameField returns err with the field faults of one member under another name.
func renameField(err error, name, as string) error {
	failure, ok := errors.AsType[*fault.Error](err)
	if !ok || name == as || !errors.Is(err, fault.ErrInvalid) {
		return err
	}
	faults := slices.Clone(failure.Fields)
	for i := range faults {
		if faults[i].Name == name {
			faults[i].Name = as
		}
	}
	return fault.ErrInvalid.With(faults...)
}
