package session

import (
	"slices"
	"strings"
	"time"

	"roster/domain/user"
)

// Query selects a page of the valid sessions of a user, newest first.
type Query struct {
	Owner  user.ID
	LiveAt time.Time // neither revoked nor expired at this time
	Epoch  int64     // of this epoch or a later one; 0 for any
	From   *Position // exclusive; nil for the first page
	Back   bool      // towards newer sessions, oldest first
	Skip   int       // sessions to skip before the first one returned
	Limit  int       // maximum number of sessions to return, at least 1
}

// Position is the position of a session in the order of creation. The session need not exist any more.
type Position struct {
	Created time.Time
	ID      ID
}

// Position returns the position of s.
func (s *Session) Position() Position { return Position{s.s.Created, s.s.ID} }

// Compare returns a negative number when p is older than q, a positive one when newer, and 0 when equal.
func (p Position) Compare(q Position) int {
	if c := p.Created.Compare(q.Created); c != 0 {
		return c
	}
	return strings.Compare(string(p.ID), string(q.ID))
}

// DisplaceQuery returns the query for the sessions of owner beyond r.MaxPerUser at now, after a new session was
// stored. It finds at most n+1 sessions, of which Displace keeps one. ok is false when the rules set no maximum.
func DisplaceQuery(owner *user.User, now time.Time, r Rules, n int) (q Query, ok bool) {
	return Query{Owner: owner.ID(), LiveAt: now, Epoch: owner.SessionEpoch(), Skip: r.MaxPerUser - 1, Limit: n + 1}, r.MaxPerUser > 0
}

// Displace returns the sessions to end among those that DisplaceQuery found. The new session, started, is never
// among them; the query finds it only when the clock of its instance is behind. Otherwise it is one of the newer
// sessions that the query skipped, and the newest session found is kept.
func Displace(found []*Session, started ID) []*Session {
	for i, s := range found {
		if s.ID() == started {
			return slices.Delete(slices.Clone(found), i, i+1)
		}
	}
	return found[min(1, len(found)):]
}

// Matches reports whether q selects s, ignoring From, Skip and Limit.
func (q Query) Matches(s *Session) bool {
	return s.s.User == q.Owner && !s.Revoked() && q.LiveAt.Before(s.s.Expires) && s.s.Epoch >= q.Epoch
}
