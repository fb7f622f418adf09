package httpapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

// wireSession is where somebody is signed in.
type wireSession struct {
	ID        session.ID `json:"id"`
	User      wireID     `json:"user"`
	Created   wireTime   `json:"created"`
	LastUsed  wireTime   `json:"last_used"`
	Expires   wireTime   `json:"expires"`
	Address   string     `json:"address"`
	UserAgent string     `json:"user_agent"`
	Current   bool       `json:"current"` // the session of this very request
}

func (s *server) listSessions(w http.ResponseWriter, r *http.Request, c call) error {
	owner, err := s.ownerOf(c)
	if err != nil {
		return err
	}
	return source[*session.Session, wireSession]{
		fetch: func(from *moment, back bool, limit int) ([]*session.Session, error) {
			q := inbound.SessionList{Owner: owner, Back: back, Limit: limit}
			if from != nil {
				q.From = &session.Position{Created: from.at, ID: session.ID(from.id)}
			}
			return s.Sessions.List(r.Context(), c.actor, q)
		},
		place: func(x *session.Session) moment { return moment{x.Position().Created, string(x.ID())} },
		tell: func(x *session.Session) wireSession {
			v := x.Snapshot()
			return wireSession{
				ID: v.ID, User: wireID(v.User), Created: wireTime(v.Created), LastUsed: wireTime(x.Used()),
				Expires: wireTime(v.Expires), Address: v.Address, UserAgent: v.UserAgent, Current: v.ID == c.actor.Session,
			}
		},
	}.page(s, w, r, c)
}

func (s *server) endSessions(w http.ResponseWriter, r *http.Request, c call) error {
	owner, err := s.ownerOf(c)
	if err == nil {
		err = s.Sessions.EndAll(r.Context(), c.actor, owner)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) endSession(w http.ResponseWriter, r *http.Request, c call) error {
	if err := s.Sessions.End(r.Context(), c.actor, session.ID(mux.Vars(r)["session"])); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ownerOf reads whose sessions are meant; "" is the actor. An id that nobody can have is told apart
// from another's only to staff, as it is in the path of a user.
func (s *server) ownerOf(c call) (user.ID, error) {
	text, ok := c.query.get("user")
	if !ok || text == "" {
		return "", nil
	}
	id, err := s.parseID(text)
	if err != nil && !c.actor.Staff() {
		err = inbound.ErrForbidden
	}
	return id, err
}
