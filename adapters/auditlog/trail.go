// Package auditlog writes security events to the log, beside keeping them.
package auditlog

import (
	"context"

	"go.uber.org/zap"

	"roster/domain/audit"
	"roster/ports/outbound"
)

// Trail is an audit trail that also logs what is added to it, a line an event. Events that cannot be
// kept are then at least there, and the log tells that they are missing elsewhere.
type Trail struct {
	outbound.AuditTrail
	log *zap.Logger
}

// New returns a Trail over kept.
func New(kept outbound.AuditTrail, log *zap.Logger) *Trail { return &Trail{kept, log.Named("audit")} }

// Append implements outbound.AuditTrail.
func (t *Trail) Append(ctx context.Context, events ...audit.Event) error {
	for _, e := range events {
		t.log.Info(string(e.Kind), fields(e)...)
	}
	err := t.AuditTrail.Append(ctx, events...)
	if err != nil {
		for _, e := range events {
			t.log.Error("event not kept", zap.String("id", string(e.ID)), zap.Error(err))
		}
	}
	return err
}

func fields(e audit.Event) []zap.Field {
	out := []zap.Field{zap.String("id", string(e.ID)), zap.Time("at", e.At), zap.String("channel", string(e.Channel))}
	for _, f := range []struct{ name, value string }{
		{"actor", string(e.Actor)}, {"user", string(e.User)}, {"session", e.Session}, {"client", e.Address},
		{"user_agent", e.UserAgent}, {"request_id", e.RequestID}, {"detail", e.Detail},
	} {
		if f.value != "" {
			out = append(out, zap.String(f.name, f.value))
		}
	}
	return out
}
