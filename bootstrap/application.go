package bootstrap

import (
	"context"
	"runtime"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/application"
	"roster/bootstrap/config"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

var applicationModule = fx.Module("application",
	fx.Provide(
		ports,
		settings,
		application.NewGuard,
		application.NewAccounts,
		func(a *application.Accounts) inbound.Accounts { return a },
		application.NewAuthentication,
		func(a *application.Authentication) inbound.Authentication { return a },
		fx.Annotate(application.NewAdministration, fx.As(new(inbound.Administration))),
		fx.Annotate(application.NewSessions, fx.As(new(inbound.Sessions))),
		fx.Annotate(application.NewTrail, fx.As(new(inbound.Trail))),
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
	Attempts   outbound.Attempts
	AuditTrail outbound.AuditTrail
	EventIDs   outbound.EventIDs
	Hasher     outbound.PasswordHasher
	Tokens     outbound.Tokens `optional:"true"` // nil for the operator's commands
	Domains    outbound.Domains
	Clock      outbound.Clock
	Breached   outbound.BreachedPasswords
}

func ports(in portsIn) application.Ports {
	return application.Ports{
		Users: in.Users, UserIDs: in.UserIDs, Sessions: in.Sessions, SessionIDs: in.SessionIDs,
		Attempts: in.Attempts, AuditTrail: in.AuditTrail, EventIDs: in.EventIDs,
		Hasher: in.Hasher, Tokens: in.Tokens, Domains: in.Domains, Clock: in.Clock, Breached: in.Breached,
	}
}

func settings(cfg config.Config) application.Settings {
	return application.Settings{
		Access:       application.AccessPolicy(cfg.AccessPolicy),
		Registration: application.Registration(cfg.Registration),
		Passwords: application.Passwords{
			Policy:         passwordPolicy(cfg),
			Trim:           cfg.TrimPasswords,
			MaxLength:      cfg.PasswordMaxLength,
			RequireCurrent: cfg.RequireCurrentPassword,
		},
		Rules: session.Rules{
			AccessLifetime:  cfg.AccessTokenLifetime,
			RefreshLifetime: cfg.RefreshTokenLifetime,
			MaxLifetime:     cfg.SessionMaxLifetime,
			Rotate:          cfg.RotateRefreshTokens,
			Grace:           cfg.ReuseGrace,
			ReuseRevokes:    cfg.ReusePolicy == "revoke",
			Sessionless:     cfg.SessionlessTokens,
			MaxPerUser:      cfg.MaxSessions,
			Immediate:       cfg.ImmediateRevocation,
			KeepCurrent:     cfg.PasswordChangeEnds == "others",
			Leeway:          cfg.ClockLeeway,
		},
		Lockout:        lockout.NewRules(cfg.LockoutFailures, cfg.LockoutAddressFailures, cfg.LockoutDelay, cfg.LockoutMaxDelay),
		AuditRetention: cfg.AuditRetention,
		LongReads:      max(2, runtime.GOMAXPROCS(0)/2), // half of the connections that read an embedded database
	}
}

// sweeping runs the housekeeping while the service runs.
var sweeping = fx.Invoke(func(lc fx.Lifecycle, h *application.Housekeeping, log *zap.Logger) {
	background(lc, func(ctx context.Context) { sweep(ctx, h, log) })
})

// counting records the counts of events that come again and again while the service runs, and what is left of them
// when it stops: a module, since those are stopped in turn, so that the API has answered its last request by then.
var counting = fx.Module("counting", fx.Invoke(func(lc fx.Lifecycle, a *application.Authentication) {
	background(lc, func(ctx context.Context) {
		defer a.Flush(context.WithoutCancel(ctx), true)
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				a.Flush(ctx, false)
			}
		}
	})
}))

// flushEvery is how long a count may wait once its minute is over.
const flushEvery = 15 * time.Second

// background runs do from the start of the service to its stop. It has a context of its own: the one that
// OnStart is given ends when the start does.
func background(lc fx.Lifecycle, do func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.StartStopHook(
		func() {
			go func() {
				defer close(done)
				do(ctx)
			}()
		},
		func() {
			cancel()
			<-done
		}))
}

func sweep(ctx context.Context, h *application.Housekeeping, log *zap.Logger) {
	tick := time.NewTicker(application.SweepInterval)
	defer tick.Stop()
	for {
		switch n, err := h.Sweep(ctx); {
		case ctx.Err() != nil:
		case err != nil:
			log.Warn("sweep what has expired", zap.Error(err))
		case n != application.Swept{}:
			log.Info("swept what has expired", zap.Int("sessions", n.Sessions), zap.Int("failures", n.Attempts), zap.Int("events", n.Events))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
