package application

import (
	"roster/domain/session"
	"roster/ports/inbound"
)

// Authentication is the use cases about tokens.
type Authentication struct {
	Ports
	*repeats
	guard *Guard
	trim  bool
	rules session.Rules
}

var _ inbound.Authentication = (*Authentication)(nil)

// NewAuthentication returns the use cases over p.
func NewAuthentication(p Ports, s Settings, g *Guard) *Authentication {
	return &Authentication{p, &repeats{Recorder: NewRecorder(p)}, g, s.Passwords.Trim, s.Rules}
}
