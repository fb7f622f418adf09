package application

import (
	"context"

	"roster/domain/audit"
	"roster/domain/session"
	"roster/domain/signing"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// SigningKeys implements the use cases of staff about the signing keys.
type SigningKeys struct {
	ring  outbound.Keyring
	ports Ports
	rules session.Rules
	Recorder
}

var _ inbound.SigningKeys = (*SigningKeys)(nil)

// NewSigningKeys returns the use cases on the keys of ring.
func NewSigningKeys(p Ports, s Settings, ring outbound.Keyring) *SigningKeys {
	return &SigningKeys{ring, p, s.Rules, NewRecorder(p)}
}

func (k *SigningKeys) List(ctx context.Context, actor inbound.Actor) ([]signing.Key, error) {
	if err := requireStaff(actor); err != nil {
		return nil, err
	}
	return k.ring.List(ctx)
}

func (k *SigningKeys) Add(ctx context.Context, actor inbound.Actor, algorithm string) (signing.Key, error) {
	return k.change(ctx, actor, audit.KeyAdded, func() (signing.Key, error) { return k.ring.Add(ctx, algorithm) })
}

func (k *SigningKeys) Rotate(ctx context.Context, actor inbound.Actor, id string) (signing.Key, error) {
	return k.change(ctx, actor, audit.KeyRotated, func() (signing.Key, error) { return k.ring.Rotate(ctx, id) })
}

func (k *SigningKeys) Retire(ctx context.Context, actor inbound.Actor, id string, force bool) (signing.Key, error) {
	return k.change(ctx, actor, audit.KeyRetired, func() (signing.Key, error) { return k.ring.Retire(ctx, id, force) })
}

// change makes a change for staff with a recent sign-in, and records it with the key that it returns. The keys are not in
// the storage, so a crash can separate the two.
func (k *SigningKeys) change(
	ctx context.Context, actor inbound.Actor, kind audit.Kind, do func() (signing.Key, error),
) (signing.Key, error) {
	actor, err := k.ports.staff(ctx, actor, k.rules)
	if err == nil {
		err = requireRecentSignIn(actor, k.clock.Now())
	}
	if err != nil {
		return signing.Key{}, err
	}
	changed, err := do()
	if err == nil {
		k.Record(ctx, audit.Event{Kind: kind, Actor: actor.ID(), Detail: changed.Algorithm + " " + changed.ID})
	}
	return changed, err
}
