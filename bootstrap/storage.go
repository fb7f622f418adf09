package bootstrap

import (
	"context"
	"fmt"
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
		storage.Backend.Attempts, storage.Backend.Mails,
		func(b storage.Backend, log *zap.Logger, t telemetered) *auditlog.Trail {
			return auditlog.New(b.AuditTrail(), log, t.event())
		},
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
	var schemes []string
	for _, d := range drivers {
		if d.Scheme == database.Scheme() {
			return d, nil
		}
		schemes = append(schemes, d.Scheme)
	}
	return storage.Driver{}, fmt.Errorf("no backend for %q; there are %s", database.Scheme(), strings.Join(schemes, ", "))
}

// openBackend makes the configured backend, without connecting.
func openBackend(cfg config.Config, log *zap.Logger, o storage.Options, t telemetered) (storage.Backend, error) {
	d, err := driver(cfg.Database)
	if err != nil {
		return nil, named(cfg, "database", err)
	}
	o.DataDir, o.Observe, o.Committed = cfg.DataDir, commandLog(log), t.committed()
	b, err := d.Open(cfg.Database.URL(), o)
	return b, named(cfg, "database", err)
}

// openStorage opens and starts a database. closeIt closes it.
func openStorage(
	ctx context.Context, cfg config.Config, database config.Database, o storage.Options,
) (b storage.Backend, closeIt func() error, err error) {
	d, err := driver(database)
	if err == nil {
		err = requirePersistent(database)
	}
	if err != nil {
		return nil, nil, err
	}
	o.DataDir = cfg.DataDir
	if b, err = d.Open(database.URL(), o); err != nil {
		return nil, nil, err
	}
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := b.Start(starting); err != nil {
		return nil, nil, inTime(err, starting, startTimeout)
	}
	return b, func() error {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return b.Close(closing)
	}, nil
}

// requirePersistent fails when the database ends with the process that opened it.
func requirePersistent(database config.Database) error {
	if d, err := driver(database); err == nil && d.Ephemeral {
		return fmt.Errorf("%s: is in the memory of the process that serves; no other process can use it", d.Scheme)
	}
	return nil
}

// commandLog returns a storage.Options.Observe that logs at level debug, nil when that is not logged.
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
