// Package bootstrap composes the service from its settings. It alone knows every adapter, and fx.
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
)

// startTimeout bounds connecting, migrating and opening keys. A migration that takes longer, of a large
// database, is given up; the next start begins it again, or goes on with it. It has migrateTimeout when it
// is asked for by itself.
const (
	startTimeout   = 2 * time.Minute
	migrateTimeout = 24 * time.Hour
)

// closeTimeout bounds letting go of the storage and the rest, once requests are done.
const closeTimeout = 10 * time.Second

// core is what every command needs: storage and the use cases.
func core(cfg config.Config, log *zap.Logger, how opening) fx.Option {
	return fx.Options(
		fx.Supply(cfg, log, how),
		fx.StartTimeout(startTimeout), fx.StopTimeout(cfg.ShutdownDelay+cfg.ShutdownTimeout+closeTimeout),
		quietWiring,
		systemModule, passwordModule, storageModule, applicationModule,
	)
}

// New returns the whole service as a graph. It does no I/O but for what its constructors do. A database that is away
// when it starts is awaited, unless ctx ends.
func New(ctx context.Context, cfg config.Config, log *zap.Logger) fx.Option {
	facts := newServing(cfg)
	notice := func(text string) {
		facts.Created = facts.Created || strings.HasPrefix(text, "created")
		log.Info(text)
	}
	how := opening{notice: notice, retry: await(ctx, log)}
	return fx.Options(core(cfg, log, how), fx.Supply(facts), tokenModule, sweeping, counting, followKeys, httpModule)
}

// Serve runs the service until ctx ends, then finishes what is under way. Each value of reload makes it read
// keys and certificate again. Once it serves, announce is called, unless it is nil: then the log has a line
// instead. It returns nil after a clean shutdown. The log is the caller's to close.
func Serve(ctx context.Context, cfg config.Config, reload <-chan os.Signal, out *LogOutput, announce func(Serving)) error {
	log, err := newLog(cfg, out)
	if err != nil {
		return err
	}
	defer zap.RedirectStdLog(log.Named("library"))() // standard error may hold up the libraries that write there
	raiseGOMAXPROCS(cfg)
	logWarnings(cfg, log)
	var (
		files files
		facts *Serving
		admin inbound.Administration
	)
	app := fx.New(New(ctx, cfg, log), fx.Populate(&files, &facts, &admin))
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
		case s := <-ended: // fx hears signals too; only a server that gave up brings a code
			running = false
			if s.ExitCode != 0 {
				failed = errors.New("the service stopped by itself; the log says why")
			}
		case <-reload:
			files.reload(log)
		}
	}
	log.Info("stopping", zap.Duration("delay", cfg.ShutdownDelay))
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StopTimeout())
	defer cancel()
	if err := app.Stop(stopping); err != nil {
		return errors.Join(failed, err)
	}
	log.Info("stopped")
	return failed
}

// Access is what a command does with the configured database.
type Access = storage.Access

// The kinds of access: Create also where there is no database, Write and Read only where there is one. Read
// changes nothing.
const (
	Create = storage.Create
	Write  = storage.Write
	Read   = storage.Read
)

// Administer runs do with the operator's use cases on the configured storage, which a running
// instance may be using at the same time. notice is called with what the operator is to know of the storage.
func Administer(ctx context.Context, cfg config.Config, access Access, notice func(text string), do func(context.Context, inbound.Administration) error) error {
	if err := requirePersistent(cfg.Database); err != nil {
		return named(cfg, "database", err)
	}
	var admin inbound.Administration
	err := run(ctx, fx.Options(core(cfg, zap.NewNop(), opening{access: access, notice: notice}), fx.Populate(&admin)), func() error {
		return do(inbound.WithOrigin(ctx, inbound.Origin{Channel: audit.Operator}), admin)
	})
	return located(cfg, err)
}

// Migrate brings the schema of the configured storage up to date.
func Migrate(ctx context.Context, cfg config.Config, notice func(text string)) error {
	err := run(ctx, fx.Options(fx.Supply(cfg, zap.NewNop(), opening{notice: notice}), fx.StartTimeout(migrateTimeout), fx.NopLogger, storageModule), func() error { return nil })
	return located(cfg, err)
}

// logWarnings logs what is unsafe: what the profile brings with it in one line.
func logWarnings(cfg config.Config, log *zap.Logger) {
	var usual []string
	for _, w := range Warnings(cfg) {
		switch {
		case !w.OfProfile:
			log.Warn("setting", zap.String("warning", w.Text))
		case !slices.Contains(usual, w.Setting):
			usual = append(usual, w.Setting)
		}
	}
	if len(usual) > 0 {
		log.Warn("the profile is less safe than standard in these settings; roster check gives the reasons", zap.String("profile", cfg.Profile), zap.Strings("settings", usual))
	}
}

// Connect opens the configured database without creating or changing anything, and says what it is.
func Connect(ctx context.Context, cfg config.Config) (about string, err error) {
	if requirePersistent(cfg.Database) != nil {
		return "the memory of the process that serves", nil
	}
	b, closeIt, err := openStorage(ctx, cfg, cfg.Database, opening{access: Read})
	if err != nil {
		return "", located(cfg, started(cfg, err))
	}
	defer func() { err = errors.Join(err, closeIt()) }()
	return b.About(ctx)
}

// Check looks at what only a start can see: the storage's URL, the breached passwords, the signing keys and the certificate.
func Check(_ context.Context, cfg config.Config) error {
	_, letGo, err := openBreached(cfg)
	if err != nil {
		return err
	}
	letGo()
	if _, err := openBackend(cfg, zap.NewNop(), opening{}); err != nil {
		return err
	}
	if _, err := openCertificate(cfg, zap.NewNop()); err != nil {
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
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StopTimeout())
	defer cancel()
	return errors.Join(err, app.Stop(stopping))
}

// start starts app and returns the cause of a failure without the path through fx. Once begun it is not
// cancelled: a migration under way is finished, and what was opened is closed in order afterwards.
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

// inTime says of a start that failed with err whether it did so since its time ran out, and what has more.
func inTime(err error, starting context.Context, limit time.Duration) error {
	if !errors.Is(starting.Err(), context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, storage.ErrAway) {
		return err
	}
	return fmt.Errorf("the storage was not ready after %s; `roster migrate` gives a large one %s: %w", limit, migrateTimeout, err)
}
