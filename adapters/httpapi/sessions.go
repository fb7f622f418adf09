package httpapi

import (
	"net/http"

	"github.com/gorilla/mux"

	"roster/domain/session"
	"roster/domain/user"
)

// wireSession is a session in a response.
type wireSession struct {
	ID        session.ID `json:"id"`
	User      wireID     `json:"user"`
	Created   wireTime   `json:"created"`
	LastUsed  wireTime   `json:"last_used"`
	Expires   wireTime   `json:"expires"`
	Address   string     `json:"address"`
	UserAgent string     `json:"user_agent"`
	Current   bool       `json:"current"` // the session that sent the request
}

func (s *server) listSessions(w http.ResponseWriter, r *http.Request, c call) error {
	return pager[*session.Session]{
		order: newestFirst,
		fetch: func(parse func() (cursor, error), limit int) ([]*session.Session, error) {
			at, err := parse()
			if err != nil {
				return nil, err
			}
			q := session.Query{Owner: s.ownerOf(c), Back: at.Back, Limit: limit}
			created, id, ok, err := parseTimeValues(at.Values)
			if err != nil {
				return nil, err
			}
			if ok {
				q.From = &session.Position{Created: created, ID: session.ID(id)}
			}
			return s.Sessions.List(r.Context(), c.actor, q)
		},
		values: func(x *session.Session) []string { return timeValues(x.Position().Created, string(x.ID())) },
		toWire: each(func(x *session.Session) wireSession {
			v := x.Snapshot()
			return wireSession{
				ID: v.ID, User: wireID(v.User), Created: wireTime(v.Created), LastUsed: wireTime(x.LastUsed()),
				Expires: wireTime(v.Expires), Address: v.Address, UserAgent: v.UserAgent, Current: v.ID == c.actor.Session,
			}
		}),
	}.writePage(s, w, r, c)
}

func (s *server) endSessions(w http.ResponseWriter, r *http.Request, c call) error {
	if err := s.Sessions.EndAll(r.Context(), c.actor, s.ownerOf(c)); err != nil {
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

// ownerOf returns the user that ?user= names, "" for the actor. Text that is no id is returned as it is: it matches no
// user.
func (s *server) ownerOf(c call) user.ID {
	text, _ := c.query.get("user")
	if text == "" {
		return ""
	}
	id, err := s.parseID(text)
	if err != nil {
		return user.ID(text)
	}
	return id
}
