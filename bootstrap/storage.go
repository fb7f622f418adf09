package bootstrap

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/auditlog"
	"roster/adapters/storage"
	"roster/adapters/system"
	"roster/bootstrap/config"
	"roster/ports/outbound"
)

var storageModule = fx.Module("storage",
	fx.Provide(
		openBackend,
		storage.Backend.Attempts,
		func(b storage.Backend, log *zap.Logger) *auditlog.Trail { return auditlog.New(b.AuditTrail(), log) },
		func(t *auditlog.Trail) outbound.AuditTrail { return t },
		func(b storage.Backend, t *auditlog.Trail) outbound.Users { return t.Users(b.Users()) },
		func(b storage.Backend, t *auditlog.Trail) outbound.Sessions { return t.Sessions(b.Sessions()) },
		func(b storage.Backend) outbound.Storage { return b },
		userIDs,
	),
	fx.Invoke(func(lc fx.Lifecycle, cfg config.Config, b storage.Backend) {
		lc.Append(fx.StartStopHook(func(ctx context.Context) error { return started(cfg, b.Start(ctx)) }, b.Close))
	}),
)

// driver returns the driver for the scheme of a URL.
func driver(database config.Database) (storage.Driver, error) {
	i := slices.IndexFunc(drivers, func(d storage.Driver) bool { return d.Scheme == database.Scheme() })
	if i < 0 {
		known := make([]string, len(drivers))
		for i, d := range drivers {
			known[i] = d.Scheme
		}
		return storage.Driver{}, fmt.Errorf("no backend for %q; there are %s", database.Scheme(), strings.Join(known, ", "))
	}
	return drivers[i], nil
}

// opening says how the configured database is opened.
type opening struct {
	access storage.Access
	notice func(text string) // called with what the operator is to know of it
	retry  func(ctx context.Context, err error) error
}

// openBackend makes the configured backend. Nothing is connected yet.
func openBackend(cfg config.Config, log *zap.Logger, how opening) (storage.Backend, error) {
	d, err := driver(cfg.Database)
	if err != nil {
		return nil, named(cfg, "database", err)
	}
	b, err := d.Open(cfg.Database.URL(), storage.Options{DataDir: cfg.DataDir, Access: how.access, Notice: how.notice, Retry: how.retry, Observe: commandLog(log)})
	return b, named(cfg, "database", err)
}

// requirePersistent fails when the database ends with the process that opened it.
func requirePersistent(database config.Database) error {
	if d, err := driver(database); err == nil && d.Ephemeral {
		return fmt.Errorf("%s: is kept by the process that serves; there is nothing to administer from here", d.Scheme)
	}
	return nil
}

// commandLog returns what logs the commands that go to a database server, or nil when they are not logged.
func commandLog(log *zap.Logger) func(command string, took time.Duration, failed bool) {
	if !log.Core().Enabled(zap.DebugLevel) {
		return nil
	}
	log = log.Named("storage")
	return func(command string, took time.Duration, failed bool) {
		log.Debug("command", zap.String("command", command), zap.Duration("took", took), zap.Bool("failed", failed))
	}
}

func userIDs(cfg config.Config, b storage.Backend) outbound.UserIDs {
	if cfg.IDs == "integer" {
		return b.UserIDs()
	}
	return system.UUIDs{}
}
