package application

import (
	"time"

	"roster/domain/lockout"
	"roster/domain/session"
	"roster/ports/outbound"
)

// Ports holds the outbound ports that the use cases call.
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
	Mails      outbound.Mails
	MailIDs    outbound.MailIDs
	LinkTokens outbound.LinkTokens
}

// Settings are the settings of the use cases.
type Settings struct {
	Access         AccessPolicy
	Registration   Registration
	Passwords      Passwords
	Rules          session.Rules
	Lockout        lockout.Rules
	AuditRetention time.Duration // age at which events are deleted
	Mail           Mailing
	LongReads      int // maximum number of concurrent long reads (see readLimiter), at least 1
}
