package inbound

import (
	"context"

	"roster/domain/audit"
	"roster/domain/session"
)

// Origin is where a request comes from, for limits and for the audit trail. It says nothing of who
// makes it: that is the Actor.
type Origin struct {
	Channel   audit.Channel
	Client    session.Client
	RequestID string
}

type originKey struct{}

// WithOrigin returns a context that carries o to whatever the request leads to.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns the origin that ctx carries, or the zero Origin.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
