// Package bootstrap composes the service from its settings. It alone imports every adapter, and fx.
package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/dig"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/storage"
	"roster/bootstrap/config"
	"roster/domain/audit"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

const (
	// startTimeout bounds connecting, migrating and opening keys. A longer migration is given up; the next start begins
	// it again, or goes on with it.
	startTimeout = 2 * time.Minute
	// migrateTimeout is startTimeout for Migrate.
	migrateTimeout = 24 * time.Hour
	// closeTimeout bounds closing the storage and the rest, once requests are done.
	closeTimeout = 10 * time.Second
)

// core is storage and the use cases, which every command needs.
func core(cfg config.Config, log *zap.Logger, o storage.Options) fx.Option {
	return fx.Options(
		fx.Supply(cfg, log, o),
		fx.StartTimeout(startTimeout), fx.StopTimeout(cfg.ShutdownDelay+cfg.ShutdownTimeout+closeTimeout),
		fx.NopLogger, // a failure of the wiring is returned, and reported once
		systemModule, passwordModule, storageModule, applicationModule,
	)
}

// New returns the whole service as a graph. It does no I/O except that of its constructors. The start waits for a
// database server that does not answer, unless ctx ends.
func New(ctx context.Context, cfg config.Config, log *zap.Logger) fx.Option {
	facts := newServing(cfg)
	notice := func(text string) {
		facts.Created = facts.Created || strings.HasPrefix(text, "created")
		log.Info(text)
	}
	o := storage.Options{Notice: notice, Retry: await(ctx, log)}
	return fx.Options(core(cfg, log, o), fx.Supply(facts), tokenModule, telemetryModule, observed, sweeping, counting, followKeys,
		mailModule(cfg), operationModule, httpModule)
}

// Reload makes a running service read what can change: signing keys, certificate and the log level, on each signal.
type Reload struct {
	Signals  <-chan os.Signal
	Settings func() (config.Config, error) // reads the settings again
}

// Serve runs the service until ctx ends, then finishes the requests under way. Once it serves, it calls announce, or logs
// a line if that is nil. It returns nil after a clean shutdown. It does not close the log.
func Serve(ctx context.Context, cfg config.Config, reload Reload, out *LogOutput, announce func(Serving)) error {
	log, level, err := newLog(cfg, out)
	if err != nil {
		return err
	}
	defer zap.RedirectStdLog(log.Named("library"))() // a reader of standard error may be slow, LogOutput is not
	raiseGOMAXPROCS(cfg)
	collectLess()
	logWarnings(cfg, log)
	var (
		files files
		facts *Serving
		admin inbound.Administration
	)
	app := fx.New(New(ctx, cfg, log), fx.Supply(level, out), fx.Populate(&files, &facts, &admin))
	if err := start(ctx, app); err != nil {
		return located(cfg, err)
	}
	facts.lookForAdministrator(ctx, admin)
	if announce == nil {
		announce = func(s Serving) { log.Info("serving", s.fields()...) }
	}
	announce(*facts)
	var failed error
	for running, ended := true, app.Wait(); running; {
		select {
		case <-ctx.Done():
			running = false
		case s := <-ended: // fx catches signals too; only a server that failed sets an exit code
			running = false
			if s.ExitCode != 0 {
				failed = errors.New("the service stopped by itself; the log says why")
			}
		case <-reload.Signals:
			files.reload(log, reload.level(level, log))
		}
	}
	log.Info("stopping", zap.Duration("delay", cfg.ShutdownDelay))
	if err := stop(ctx, app); err != nil {
		return errors.Join(failed, err)
	}
	log.Info("stopped")
	return failed
}

// level sets the log level of the settings as they are now, and returns the level in force.
func (r Reload) level(level zap.AtomicLevel, log *zap.Logger) zap.Field {
	cfg, err := r.Settings()
	if err == nil {
		err = level.UnmarshalText([]byte(cfg.LogLevel))
	}
	if err != nil {
		log.Warn("the settings cannot be read again; the log level stays as it is", zap.Error(err))
	}
	return zap.Stringer("log_level", level)
}

// Access is what a command does with the configured database.
type Access = storage.Access

// The kinds of access: Create makes the database if there is none, Write and Read need one. Read changes nothing.
const (
	Create = storage.Create
	Write  = storage.Write
	Read   = storage.Read
)

// Administer runs do with the operator's use cases on the configured storage, which a running instance may be using at
// the same time. It calls notice with what the operator should know of the storage.
func Administer(
	ctx context.Context, cfg config.Config, access Access, notice func(text string),
	do func(context.Context, inbound.Administration) error,
) error {
	return operate(ctx, cfg, storage.Options{Access: access, Notice: notice}, do)
}

// operate runs do with a T of the graph of the configured storage and its use cases.
func operate[T any](ctx context.Context, cfg config.Config, o storage.Options, do func(context.Context, T) error) error {
	if err := requirePersistent(cfg.Database); err != nil {
		return named(cfg, "database", err)
	}
	var t T
	noTokens := fx.Provide(func() (outbound.Tokens, outbound.LinkTokens) { return nil, nil })
	err := run(ctx, fx.Options(core(cfg, zap.NewNop(), o), noTokens, fx.Populate(&t)), func() error {
		return do(inbound.WithOrigin(ctx, inbound.Origin{Channel: audit.Operator}), t)
	})
	return located(cfg, err)
}

// Migrate brings the schema of the configured storage up to date.
func Migrate(ctx context.Context, cfg config.Config, notice func(text string)) error {
	graph := fx.Options(fx.Supply(cfg, zap.NewNop(), storage.Options{Notice: notice}), fx.StartTimeout(migrateTimeout),
		fx.NopLogger, storageModule)
	return located(cfg, run(ctx, graph, func() error { return nil }))
}

// logWarnings logs what is unsafe; the values of the profile in one line.
func logWarnings(cfg config.Config, log *zap.Logger) {
	var ofProfile []string
	for _, w := range Warnings(cfg) {
		switch {
		case !w.OfProfile:
			log.Warn("setting", zap.String("warning", w.Text))
		case !slices.Contains(ofProfile, w.Setting):
			ofProfile = append(ofProfile, w.Setting)
		}
	}
	if len(ofProfile) > 0 {
		log.Warn("the profile is less safe than standard in these settings; roster check gives the reasons",
			zap.String("profile", cfg.Profile), zap.Strings("settings", ofProfile))
	}
}

// Connect opens the configured database without creating or changing anything, and describes it.
func Connect(ctx context.Context, cfg config.Config) (about string, err error) {
	if requirePersistent(cfg.Database) != nil {
		return "the memory of the process that serves", nil
	}
	b, closeIt, err := openStorage(ctx, cfg, cfg.Database, storage.Options{Access: Read})
	if err != nil {
		return "", located(cfg, started(cfg, err))
	}
	defer func() { err = errors.Join(err, closeIt()) }()
	return b.About(ctx)
}

// Check finds what would make a start fail in the URL of the storage, the breached passwords, the settings of mail, the
// signing keys and the certificate.
func Check(_ context.Context, cfg config.Config) error {
	_, closeIt, err := openBreached(cfg, telemetered{})
	if err != nil {
		return err
	}
	closeIt()
	if _, err := openBackend(cfg, zap.NewNop(), storage.Options{}, telemetered{}); err != nil {
		return err
	}
	if _, err := openCertificate(cfg, zap.NewNop()); err != nil {
		return err
	}
	if err := checkMail(cfg); err != nil {
		return err
	}
	return checkKeys(cfg)
}

func run(ctx context.Context, graph fx.Option, do func() error) error {
	app := fx.New(graph)
	if err := start(ctx, app); err != nil {
		return err
	}
	err := do()
	return errors.Join(err, stop(ctx, app))
}

// start starts app, even if ctx ends: a migration under way is finished, and what was opened is closed in order
// afterwards. It returns the cause of a failure without the path through fx.
func start(ctx context.Context, app *fx.App) error {
	if err := app.Err(); err != nil {
		return dig.RootCause(err)
	}
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StartTimeout())
	defer cancel()
	if err := app.Start(starting); err != nil {
		return inTime(dig.RootCause(err), starting, app.StartTimeout())
	}
	return nil
}

func stop(ctx context.Context, app *fx.App) error {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StopTimeout())
	defer cancel()
	return app.Stop(stopping)
}

// inTime adds to the error of a start that ran out of time which command has more.
func inTime(err error, starting context.Context, limit time.Duration) error {
	if errors.Is(err, storage.ErrAway) || !errors.Is(starting.Err(), context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("the storage was not ready after %s; `roster migrate` gives a large one %s: %w", limit, migrateTimeout, err)
}
