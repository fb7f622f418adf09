package bootstrap

import (
	"context"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/application"
	"roster/bootstrap/config"
	"roster/domain/session"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

var applicationModule = fx.Module("application",
	fx.Provide(
		ports,
		settings,
		application.NewAccounts,
		func(a *application.Accounts) inbound.Accounts { return a },
		fx.Annotate(application.NewAuthentication, fx.As(new(inbound.Authentication))),
		fx.Annotate(application.NewAdministration, fx.As(new(inbound.Administration))),
		application.NewHousekeeping,
		application.NewHealth,
		func(h *application.Health) inbound.Health { return h },
	))

// portsIn collects the outbound ports, each by its type.
type portsIn struct {
	fx.In

	Users      outbound.Users
	UserIDs    outbound.UserIDs
	Sessions   outbound.Sessions
	SessionIDs outbound.SessionIDs
	Hasher     outbound.PasswordHasher
	Tokens     outbound.Tokens `optional:"true"` // the operator's commands sign nobody in
	Domains    outbound.Domains
	Clock      outbound.Clock
	Breached   outbound.BreachedPasswords
}

func ports(in portsIn) application.Ports {
	return application.Ports{
		Users: in.Users, UserIDs: in.UserIDs, Sessions: in.Sessions, SessionIDs: in.SessionIDs,
		Hasher: in.Hasher, Tokens: in.Tokens, Domains: in.Domains, Clock: in.Clock, Breached: in.Breached,
	}
}

func settings(cfg config.Config) application.Settings {
	return application.Settings{
		Access:       application.AccessPolicy(cfg.AccessPolicy),
		Registration: application.Registration(cfg.Registration),
		Passwords: application.Passwords{
			Policy:        passwordPolicy(cfg),
			Trim:          cfg.TrimPasswords,
			MaxLength:     cfg.PasswordMaxLength,
			CurrentNeeded: cfg.RequireCurrentPassword,
		},
		Rules: session.Rules{
			AccessLifetime:  cfg.AccessTokenLifetime,
			RefreshLifetime: cfg.RefreshTokenLifetime,
			MaxLifetime:     cfg.SessionMaxLifetime,
			Rotate:          cfg.RotateRefreshTokens,
			Grace:           cfg.ReuseGrace,
			ReuseRevokes:    cfg.ReusePolicy == "revoke",
			Sessionless:     cfg.SessionlessTokens,
			Immediate:       cfg.ImmediateRevocation,
			KeepCurrent:     cfg.PasswordChangeEnds == "others",
		},
	}
}

// sweepEvery is how often expired sessions are removed. They are dead before that; this is about room.
const sweepEvery = 10 * time.Minute

// sweeping runs the housekeeping while the service runs. It has a context of its own: the one that
// OnStart is given ends when the start does.
var sweeping = fx.Invoke(func(lc fx.Lifecycle, h *application.Housekeeping, log *zap.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.StartStopHook(
		func() {
			go func() {
				defer close(done)
				sweep(ctx, h, log)
			}()
		},
		func() {
			cancel()
			<-done
		}))
})

func sweep(ctx context.Context, h *application.Housekeeping, log *zap.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		switch n, err := h.Sweep(ctx); {
		case ctx.Err() != nil:
		case err != nil:
			log.Warn("sweep expired sessions", zap.Error(err))
		case n > 0:
			log.Info("swept expired sessions", zap.Int("sessions", n))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
