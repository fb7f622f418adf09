package outbound

import (
	"context"

	"roster/domain/credential"
)

// BreachedPasswords knows the passwords of past data breaches (NIST SP 800-63B-4, 3.1.1.2; OWASP ASVS
// 5.0, 6.2.12).
type BreachedPasswords interface {
	// Breached reports whether p was in one. It fails when that cannot be found out; what then holds is
	// for the wiring to decide.
	Breached(ctx context.Context, p credential.Password) (bool, error)
}
