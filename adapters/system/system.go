// Package system provides time and random ids.
package system

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

var (
	_ outbound.Clock      = Clock{}
	_ outbound.SessionIDs = SessionIDs{}
	_ outbound.UserIDs    = UUIDs{}
	_ outbound.EventIDs   = UUIDs{}
	_ outbound.MailIDs    = UUIDs{}
)

// Clock is the machine's clock.
type Clock struct{}

// Now returns the time in UTC, truncated to milliseconds and without the monotonic reading, so that it is equal to itself
// after it was stored and read back.
func (Clock) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

var started = time.Now()

// Elapsed returns the time since the start of the process by the monotonic clock.
func (Clock) Elapsed() time.Duration { return time.Since(started) }

// After is time.After.
func (Clock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// SessionIDs makes ids from crypto/rand.
type SessionIDs struct{}

// NewSessionID returns 24 lower-case hexadecimal digits, 92 random bits. The digit that would be the version of a UUID is
// f, which no version has: so a jti that begins with a session's id is not one of SimpleJWT's.
func (SessionIDs) NewSessionID() session.ID {
	id := []byte(hexBytes(12))
	id[12] = 'f'
	return session.ID(id)
}

// NewTokenID returns 32 lower-case hexadecimal digits, 128 random bits, in the form of SimpleJWT's
// jti (Python's uuid4().hex, of which 122 are random).
func (SessionIDs) NewTokenID() string { return hexBytes(16) }

// NewSecret returns 43 characters of base64url, 256 random bits.
func (SessionIDs) NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

func hexBytes(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return hex.EncodeToString(b)
}

// UUIDs makes UUIDs of version 7 (RFC 9562, 5.7). They begin with the time in milliseconds, so that new ones come last in
// every index, and have 74 random bits.
type UUIDs struct{}

// NewUserID returns a new id, or ctx's error.
func (UUIDs) NewUserID(ctx context.Context) (user.ID, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return user.ParseID(id.String())
}

// NewEventID returns a new id, later in order than those before it in this process.
func (UUIDs) NewEventID() audit.ID {
	return audit.ID(uuid.Must(uuid.NewV7()).String()) // crypto/rand never fails
}

// NewMailID returns a new id, later in order than those before it in this process.
func (u UUIDs) NewMailID() mail.ID { return mail.ID(u.NewEventID()) }
