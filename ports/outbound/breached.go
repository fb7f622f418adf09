package outbound

import (
	"context"

	"roster/domain/credential"
)

// BreachedPasswords looks passwords up in data breaches (NIST SP 800-63B-4, 3.1.1.2; OWASP ASVS 5.0, 6.2.12).
type BreachedPasswords interface {
	// Breached reports whether p was in a data breach. It fails when the lookup fails; the wiring may replace that
	// error by an answer.
	Breached(ctx context.Context, p credential.Password) (bool, error)
}
