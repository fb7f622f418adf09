package application

import (
	"roster/domain/session"
	"roster/ports/inbound"
)

// Authentication implements the use cases about tokens.
type Authentication struct {
	Ports
	*dedupRecorder
	guard *Guard
	trim  bool
	rules session.Rules
}

var _ inbound.Authentication = (*Authentication)(nil)

// NewAuthentication returns the use cases on the ports p.
func NewAuthentication(p Ports, s Settings, g *Guard) *Authentication {
	return &Authentication{p, &dedupRecorder{Recorder: newMailingRecorder(p, s)}, g, s.Passwords.Trim, s.Rules}
}
