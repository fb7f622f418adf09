package httpapi

import (
	"errors"
	"net/http"

	"roster/domain/fault"
	"roster/domain/session"
	"roster/ports/inbound"
)

func (s *server) signIn(w http.ResponseWriter, r *http.Request, _ call) error {
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	pair, err := s.Authentication.SignIn(r.Context(), inbound.SignIn{Email: m["email"], Password: m["password"]})
	if err != nil {
		return err
	}
	s.ok(w, r, http.StatusOK, struct {
		Refresh string `json:"refresh"`
		Access  string `json:"access"`
	}{pair.Refresh, pair.Access})
	return nil
}

func (s *server) refresh(w http.ResponseWriter, r *http.Request, _ call) error {
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	pair, err := s.Authentication.Refresh(r.Context(), m["refresh"])
	if err != nil {
		return err
	}
	s.ok(w, r, http.StatusOK, struct {
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
	if s.VerifyListed && errors.Is(err, session.ErrBlacklisted) {
		err = fault.ErrInvalid.With(fault.Field{Code: "invalid", Message: session.ErrBlacklisted.Message})
	}
	if err != nil {
		return err
	}
	s.ok(w, r, http.StatusOK, struct{}{})
	return nil
}

func (s *server) blacklist(w http.ResponseWriter, r *http.Request, _ call) error {
	m, err := s.decode(w, r)
	if err != nil {
		return err
	}
	if err := s.Authentication.SignOut(r.Context(), m["refresh"]); err != nil {
		return err
	}
	s.ok(w, r, http.StatusOK, struct{}{})
	return nil
}
