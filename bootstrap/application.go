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
		ports, settings, application.NewGuard, application.NewHousekeeping,
		fx.Annotate(application.NewAccounts, fx.As(fx.Self()), fx.As(new(inbound.Accounts))),
		fx.Annotate(application.NewAuthentication, fx.As(fx.Self()), fx.As(new(inbound.Authentication))),
		fx.Annotate(application.NewBrowserSessions, fx.As(new(inbound.BrowserSessions))),
		fx.Annotate(application.NewHealth, fx.As(fx.Self()), fx.As(new(inbound.Health))),
		fx.Annotate(application.NewAdministration, fx.As(new(inbound.Administration))),
		fx.Annotate(application.NewSessions, fx.As(new(inbound.Sessions))),
		fx.Annotate(application.NewTrail, fx.As(new(inbound.Trail))),
	))

func ports(
	users outbound.Users, userIDs outbound.UserIDs, sessions outbound.Sessions, sessionIDs outbound.SessionIDs,
	attempts outbound.Attempts, trail outbound.AuditTrail, eventIDs outbound.EventIDs, hasher outbound.PasswordHasher,
	tokens outbound.Tokens, domains outbound.Domains, clock outbound.Clock, breached outbound.BreachedPasswords,
	mails outbound.Mails, mailIDs outbound.MailIDs, links outbound.LinkTokens,
) application.Ports {
	return application.Ports{
		Users: users, UserIDs: userIDs, Sessions: sessions, SessionIDs: sessionIDs, Attempts: attempts, AuditTrail: trail,
		EventIDs: eventIDs, Hasher: hasher, Tokens: tokens, Domains: domains, Clock: clock, Breached: breached,
		Mails: mails, MailIDs: mailIDs, LinkTokens: links,
	}
}

func settings(cfg config.Config) application.Settings {
	return application.Settings{
		Access:       application.AccessPolicy(cfg.AccessPolicy),
		Registration: application.Registration(cfg.Registration),
		Passwords: application.Passwords{
			Policy: passwordPolicy(cfg), Trim: cfg.TrimPasswords, MaxLength: cfg.PasswordMaxLength,
			RequireCurrent: cfg.RequireCurrentPassword,
		},
		Rules: session.Rules{
			AccessLifetime: cfg.AccessTokenLifetime, RefreshLifetime: cfg.RefreshTokenLifetime, MaxLifetime: cfg.SessionMaxLifetime,
			BrowserLifetime: cfg.BrowserSessionLifetime,
			Rotate:          cfg.RotateRefreshTokens, Grace: cfg.ReuseGrace, ReuseRevokes: cfg.ReusePolicy == "revoke",
			Sessionless: cfg.SessionlessTokens, MaxPerUser: cfg.MaxSessions, Immediate: cfg.ImmediateRevocation,
			KeepCurrent: cfg.PasswordChangeEnds == "others", Leeway: cfg.ClockLeeway,
		},
		Lockout:        lockout.NewRules(cfg.LockoutFailures, cfg.LockoutAddressFailures, cfg.LockoutDelay, cfg.LockoutMaxDelay),
		AuditRetention: cfg.AuditRetention,
		Mail:           mailing(cfg),
		LongReads:      max(2, runtime.GOMAXPROCS(0)/2), // half of the connections that read an embedded database
	}
}

// sweeping deletes expired records while the service runs.
var sweeping = fx.Invoke(func(lc fx.Lifecycle, h *application.Housekeeping, log *zap.Logger) {
	every(lc, application.SweepInterval, func(ctx context.Context) {
		switch n, err := h.Sweep(ctx); {
		case ctx.Err() != nil:
		case err != nil:
			log.Warn("expired records could not be deleted", zap.Error(err))
		case n != application.Swept{}:
			log.Info("expired records were deleted",
				zap.Int("sessions", n.Sessions), zap.Int("failures", n.Attempts), zap.Int("events", n.Events), zap.Int("mails", n.Mails))
		}
	})
})

// flushEvery is how long the count of a repeated event may wait once its minute is over.
const flushEvery = 15 * time.Second

// counting records the counts of repeated events while the service runs, and the rest of them when it stops: a module,
// since modules are stopped in turn, so that the API has answered its last request by then.
var counting = fx.Module("counting", fx.Invoke(func(lc fx.Lifecycle, a *application.Authentication) {
	lc.Append(fx.StopHook(func(ctx context.Context) { a.Flush(ctx, true) }))
	every(lc, flushEvery, func(ctx context.Context) { a.Flush(ctx, false) })
}))

// every calls do at the start of the service and then once a period, until the service stops. It makes a context of its
// own, since that of a start hook ends with the start.
func every(lc fx.Lifecycle, period time.Duration, do func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	run := func() {
		defer close(done)
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			do(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
	lc.Append(fx.StartStopHook(
		func() { go run() },
		func() {
			cancel()
			<-done
		}))
}
