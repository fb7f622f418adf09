package signing

import (
	"time"

	"roster/domain/fault"
)

// The algorithms (RFC 7518 and 8037) of keys that the service makes.
const (
	ES256 = "ES256"
	RS256 = "RS256"
	EdDSA = "EdDSA"
)

// Algorithms returns the algorithms of keys that the service makes.
func Algorithms() []string { return []string{ES256, RS256, EdDSA} }

// State is the use of a key.
type State string

// The states of a key. In each of them it verifies.
const (
	Added     State = "added"     // has not signed yet
	Signing   State = "signing"   // signs
	Verifying State = "verifying" // has signed, and its tokens may be valid
	Expired   State = "expired"   // has signed, and its last token has expired
)

// Key describes a key. It contains nothing secret.
type Key struct {
	ID        string // the thumbprint (RFC 7638); "" for a secret, which has none
	Algorithm string
	State     State
	Created   time.Time // zero when unknown
	Until     time.Time // when the last token of a key that has signed expires; zero when unknown
}

// Errors of changes.
var (
	ErrUnknownKey = fault.New(fault.NotFound, "key_not_found", "there is no such key")
	ErrKnownKey   = fault.New(fault.Conflict, "key_exists", "the key is there already")
	ErrSigns      = fault.New(fault.Conflict, "key_signs", "the key signs; rotate to another one first")
	ErrInUse      = fault.New(fault.Conflict, "key_in_use", "tokens that the key signed may be good still")
	ErrAlgorithm  = fault.New(fault.Invalid, "unknown_algorithm", "signing keys are made for ES256, RS256 and EdDSA")
	// ErrConfigured is the error of every change where the settings contain the key.
	ErrConfigured = fault.New(fault.Conflict, "key_configured", "the signing key is not kept by roster but configured, with signing_key; "+
		"to rotate it, put what it was in signing_key_fallbacks and the new one in signing_key, and restart; "+
		"docs/security.md, A configured key, has the steps")
)
