package bootstrap

import (
	"context"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/breached"
	"roster/bootstrap/config"
	"roster/domain/credential"
	"roster/ports/outbound"
)

// breachedWait is how long a registration waits for the answer whether its password was breached.
const breachedWait = 2 * time.Second

// breachedPasswords opens the configured check; nil is none.
func breachedPasswords(lc fx.Lifecycle, cfg config.Config, t telemetered, log *zap.Logger) (outbound.BreachedPasswords, error) {
	b, closeIt, err := openBreached(cfg, t)
	if err != nil || b == nil {
		return nil, err
	}
	lc.Append(fx.StopHook(closeIt))
	return forgiving{b, log}, nil
}

func openBreached(cfg config.Config, t telemetered) (b outbound.BreachedPasswords, closeIt func(), err error) {
	if cfg.BreachedPasswords == config.Off {
		return nil, func() {}, nil
	}
	if u := config.BreachedURL(cfg.BreachedPasswords); u != nil {
		r := breached.NewRange(u, breachedWait, t.transport())
		return r, r.Close, nil
	}
	f, err := breached.OpenFile(cfg.BreachedPasswords)
	if err != nil {
		return nil, nil, named(cfg, "breached_passwords", err)
	}
	return f, func() { _ = f.Close() }, nil
}

// forgiving accepts a password that cannot be checked, and logs that: the failure of another service, or of a disk, must
// not stop registrations.
type forgiving struct {
	outbound.BreachedPasswords
	log *zap.Logger
}

// Breached fails only when ctx has ended.
func (f forgiving) Breached(ctx context.Context, p credential.Password) (bool, error) {
	found, err := f.BreachedPasswords.Breached(ctx, p)
	if err == nil || ctx.Err() != nil {
		return found, ctx.Err()
	}
	f.log.Warn("a new password was not checked against breaches", zap.Error(err))
	return false, nil
}
