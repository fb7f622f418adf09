package outbound

import (
	"context"
	"time"

	"roster/domain/credential"
	"roster/domain/user"
)

// UserSource is another system's users, read from beginning to end. It is only ever read.
type UserSource interface {
	// Count returns how many users and revoked tokens there are to read, to show how far a reader is.
	Count(ctx context.Context) (users, tokens int64, err error)

	// Users calls visit with each user until visit fails, whose error it returns.
	Users(ctx context.Context, visit func(SourceUser) error) error

	// RevokedTokens calls visit with each refresh token that was revoked before its time. A revocation
	// that cannot be read, or of which the source does not hold the token, is visited without an ID. A
	// source without a list of such tokens has none.
	RevokedTokens(ctx context.Context, visit func(RevokedToken) error) error

	// LastUserID returns the highest counted id, up to user.LastImportedID, that the system is known to
	// have given, to deleted users as well: tokens in their name may still be about. 0 is for none.
	LastUserID(ctx context.Context) (int64, error)
}

// SourceUser is a user as another system keeps them. Texts and times are as they are there.
type SourceUser struct {
	Place string   // where in the source, for people: a position or a key
	Fault RowFault // why the row cannot be read; then only Place, ID, Email and Row count, as far as read
	// Row is the row in the source's own form, with all members that are read, to be read again later;
	// nil when it is too large to be kept. It holds the hash.
	Row []byte

	ID        user.ID // "" when the source tells none: such a user is known by the address
	Email     string
	FirstName string
	LastName  string
	Active    bool
	Staff     bool
	Superuser bool
	Password  credential.Hash
	Scheme    bool      // the source's system knows the scheme of Password, even if nobody here does
	Joined    time.Time // zero when the source does not tell
	LastLogin time.Time // zero for never
}

// RowFault is why a row cannot be read. The zero value says that it can.
type RowFault struct {
	Kind FaultKind
	Text string // for people
}

// FaultKind says what about a row cannot be read.
type FaultKind int

// What cannot be read.
const (
	NoFault FaultKind = iota
	RowMalformed
	IDUnsupported
	DateUnsupported
)

// RevokedToken is a refresh token that another system gave out and revoked.
type RevokedToken struct {
	Place     string
	ID        string  // jti; "" when it is not known
	User      user.ID // whose it was; "" when nobody knows any more
	Issued    time.Time
	Expires   time.Time
	RevokedAt time.Time
}

// StoredHashes judges stored credentials without verifying a password.
type StoredHashes interface {
	// Cost returns what it takes to verify h. ok reports whether some password may fit it: its scheme is
	// known, and its parameters are whole and within what is computed at all.
	Cost(h credential.Hash) (cost credential.Cost, ok bool)
}
