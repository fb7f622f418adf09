package application

import (
	"time"

	"roster/domain/lockout"
	"roster/domain/session"
	"roster/ports/outbound"
)

// Ports is every outbound port that the use cases call.
type Ports struct {
	Users      outbound.Users
	UserIDs    outbound.UserIDs
	Sessions   outbound.Sessions
	SessionIDs outbound.SessionIDs
	Attempts   outbound.Attempts
	AuditTrail outbound.AuditTrail
	EventIDs   outbound.EventIDs
	Hasher     outbound.PasswordHasher
	Tokens     outbound.Tokens
	Domains    outbound.Domains
	Clock      outbound.Clock
	Breached   outbound.BreachedPasswords // nil for none
}

// Settings is what an operator decides for the use cases.
type Settings struct {
	Access         AccessPolicy
	Registration   Registration
	Passwords      Passwords
	Rules          session.Rules
	Lockout        lockout.Rules
	AuditRetention time.Duration // how long events are kept
	LongReads      int           // searches and other long reads of the list at once; at least 1
}
