package outbound

import (
	"context"
	"time"

	"roster/domain/credential"
	"roster/domain/user"
)

// UserSource reads the users of another system. It never writes there.
type UserSource interface {
	// Count returns the numbers of users and revoked tokens, to show progress.
	Count(ctx context.Context) (users, tokens int64, err error)

	// Users calls visit with each user. It stops at the first error of visit and returns it.
	Users(ctx context.Context, visit func(SourceUser) error) error

	// RevokedTokens calls visit with each refresh token that was revoked before its expiry, and stops as Users does.
	// A revocation that is unreadable, or whose token the source lacks, has no ID. A source without a list of
	// revoked tokens has none.
	RevokedTokens(ctx context.Context, visit func(RevokedToken) error) error

	// LastUserID returns the highest integer id, up to user.LastImportedID, that the source is known to have
	// assigned, or 0. It includes deleted users, since tokens for them may still be valid.
	LastUserID(ctx context.Context) (int64, error)
}

// SourceUser is a user of another system. Texts and times are as stored there.
type SourceUser struct {
	Location string   // where in the source, for people: a line number or a key
	Fault    RowFault // why the row is unreadable; only Location, ID, Email and Row are set then, as far as read
	// Row is the row in the source's format, with all fields that the import reads, to be imported again later. It
	// contains the hash. It is nil when it is too large to be kept.
	Row []byte

	ID          user.ID // "" when the source has no ids: the user is identified by the address
	Email       string
	FirstName   string
	LastName    string
	Active      bool
	Staff       bool
	Superuser   bool
	Password    credential.Hash
	KnownScheme bool      // the source's system knows the scheme of Password, even if this service does not
	Joined      time.Time // zero when unknown
	LastLogin   time.Time // zero for never

	Proof       EmailProof
	OtherEmails int // further addresses of the user, which are not read
}

// EmailProof is what the source knows of a user's address.
type EmailProof int

// What is known.
const (
	ProofUnknown EmailProof = iota // the source does not record it
	Proven                         // the user proved to receive mail there
	Unproven
)

// RowFault is why a row is unreadable. The zero value means that it is readable.
type RowFault struct {
	Kind FaultKind
	Text string // for people
}

// FaultKind is the kind of a RowFault.
type FaultKind int

// The kinds of faults.
const (
	NoFault FaultKind = iota
	RowMalformed
	IDUnsupported
	DateUnsupported
)

// RevokedToken is a refresh token that another system issued and revoked.
type RevokedToken struct {
	Location  string
	ID        string  // the jti claim; "" when unknown
	User      user.ID // the user of the token; "" when unknown
	Issued    time.Time
	Expires   time.Time
	RevokedAt time.Time
}

// StoredHashes examines stored credentials without verifying a password.
type StoredHashes interface {
	// Cost returns the cost of verifying h. ok reports whether a password may match h: its scheme is known, and its
	// parameters are complete and within the limits of this service.
	Cost(h credential.Hash) (cost credential.Cost, ok bool)
}
