package inbound

import (
	"context"

	"roster/domain/audit"
	"roster/domain/session"
)

// Origin describes where a request comes from, for limits and the audit trail. The user is the Actor.
type Origin struct {
	Channel   audit.Channel
	Client    session.Client
	RequestID string
	Languages string // the Accept-Language header
}

type originKey struct{}

// WithOrigin returns a copy of ctx with o.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns the origin in ctx, or the zero Origin.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
