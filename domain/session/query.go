package session

import (
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

// Matches reports whether s is one of those that q asks for, wherever it begins.
func (q Query) Matches(s *Session) bool {
	return s.s.User == q.Owner && !s.Revoked() && q.LiveAt.Before(s.s.Expires) && s.s.Epoch >= q.Epoch
}
