package session

import (
	"slices"
	"strings"
	"time"

	"roster/domain/user"
)

// Query asks for one stretch of a user's sessions that count, newest first.
type Query struct {
	Owner  user.ID
	LiveAt time.Time // not revoked, and not expired at that time
	Epoch  int64     // of this epoch or a later one; 0 for any
	From   *Position // exclusive; nil begins with the newest
	Back   bool      // towards newer ones, oldest first
	Skip   int       // pass over so many before the first that is returned
	Limit  int       // most sessions to return, at least 1
}

// Position is the place of a session, which may be gone by now.
type Position struct {
	Created time.Time
	ID      ID
}

// Position returns the place of s.
func (s *Session) Position() Position { return Position{s.s.Created, s.s.ID} }

// Compare orders two places: negative when p is older.
func (p Position) Compare(q Position) int {
	if c := p.Created.Compare(q.Created); c != 0 {
		return c
	}
	return strings.Compare(string(p.ID), string(q.ID))
}

// BeyondMax returns the query for the sessions of owner that the rules leave no room for at now, after one more
// has begun: at most n, beside one that Displace takes away. Where the rules set no maximum, ok is false.
func BeyondMax(owner *user.User, now time.Time, r Rules, n int) (q Query, ok bool) {
	return Query{Owner: owner.ID(), LiveAt: now, Epoch: owner.SessionEpoch(), Skip: r.MaxPerUser - 1, Limit: n + 1}, r.MaxPerUser > 0
}

// Displace returns which of the sessions that BeyondMax found are to end. The session begun never ends; it may be
// among them where the clock of its instance is behind. Else it is among the newer ones, and the newest found stays.
func Displace(found []*Session, begun ID) []*Session {
	for i, s := range found {
		if s.ID() == begun {
			return slices.Delete(slices.Clone(found), i, i+1)
		}
	}
	return found[min(1, len(found)):]
}

// Matches reports whether s is one of those that q asks for, wherever it begins.
func (q Query) Matches(s *Session) bool {
	return s.s.User == q.Owner && !s.Revoked() && q.LiveAt.Before(s.s.Expires) && s.s.Epoch >= q.Epoch
}
