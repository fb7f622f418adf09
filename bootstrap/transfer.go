package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"

	"roster/domain/archive"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/django"
	"roster/adapters/ndjson"
	"roster/adapters/storage"
	"roster/adapters/storage/memory"
	"roster/application"
	"roster/application/transfer"
	"roster/bootstrap/config"
	"roster/domain/audit"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// DjangoSource says what to read of Django; see package django.
type DjangoSource struct {
	Source    string // path of a fixture, or the URL of a database
	UserModel string
	Table     string
	Fields    map[string]string
	TimeZone  string
}

// DjangoMembers returns the members that DjangoSource.Fields may map.
func DjangoMembers() []string { return django.Members() }

// moving is what the moves need of the graph.
type moving struct {
	fx.In

	Ports   application.Ports
	Backend storage.Backend
	Hashes  outbound.StoredHashes
}

// move runs do on the configured storage, which must be one that lasts.
func move(ctx context.Context, cfg config.Config, how opening, do func(context.Context, moving) error) error {
	if err := requirePersistent(cfg.Database); err != nil {
		return named(cfg, "database", err)
	}
	var m moving
	take := fx.Invoke(func(in moving) { m = in })
	err := run(ctx, fx.Options(core(cfg, zap.NewNop(), how), take), func() error {
		return do(inbound.WithOrigin(ctx, inbound.Origin{Channel: audit.Operator}), m)
	})
	return located(cfg, err)
}

// ImportDjango takes the users of a Django project over into the configured storage. found is called with what
// will be read, once all is open and before the first row is taken; where it fails, none is. A running instance
// may be using the storage at the same time.
func ImportDjango(ctx context.Context, cfg config.Config, s DjangoSource, o inbound.ImportOptions,
	notice func(text string), found func(what string) error, tell func(inbound.ImportRow) error, progress inbound.Progress,
) (summary inbound.ImportSummary, err error) {
	if err := requirePersistent(cfg.Database); err != nil { // before a long look at the source
		return summary, named(cfg, "database", err)
	}
	source, err := django.Open(ctx, django.Options{
		Source: s.Source, UserModel: s.UserModel, Table: s.Table, Fields: s.Fields, TimeZone: s.TimeZone,
	})
	if err != nil {
		return summary, fmt.Errorf("SOURCE: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close(context.WithoutCancel(ctx))) }()
	o.Source = source.Describe()
	if note := source.Note(); note != "" {
		notice(note)
	}
	how := opening{access: Create, notice: notice}
	if o.DryRun {
		how.access = Read
	}
	err = move(ctx, cfg, how, func(ctx context.Context, m moving) error {
		if err := found(o.Source); err != nil {
			return err
		}
		summary, err = transfer.NewImporting(transfer.ImportPorts{
			Source: source, Archive: m.Backend.Archive(), Hashes: m.Hashes, Ports: m.Ports,
		}).Import(ctx, o, tell, progress)
		return err
	})
	return summary, err
}

// Copy takes everything from one storage to another, each named by its URL; an empty one is that of the
// settings.
func Copy(ctx context.Context, cfg config.Config, from, to string, o inbound.CopyOptions, notice func(text string), progress inbound.Progress) (got []archive.Contents, err error) {
	source, target := cfg.Database, cfg.Database
	sourceName, targetName := cfg.Where("database"), cfg.Where("database")
	if from != "" {
		sourceName = "--from"
		if source, err = config.ParseDatabase(from); err != nil {
			return nil, fmt.Errorf("%s: %w", sourceName, err)
		}
	}
	if to != "" {
		targetName = "--to"
		if target, err = config.ParseDatabase(to); err != nil {
			return nil, fmt.Errorf("%s: %w", targetName, err)
		}
	}
	one, closeOne, err := openStorage(ctx, cfg, source, opening{access: Read, notice: notice})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sourceName, err)
	}
	defer func() { err = errors.Join(err, closeOne()) }()
	how := opening{access: Create, notice: notice}
	if o.VerifyOnly {
		how.access = Read
	}
	other, closeOther, err := openStorage(ctx, cfg, target, how)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", targetName, err)
	}
	defer func() { err = errors.Join(err, closeOther()) }()
	same, err := one.Same(ctx, other)
	if err != nil {
		return nil, err
	}
	if same {
		return nil, errors.New("source and target are the same database")
	}
	return transfer.NewCopying(one.Archive(), other.Archive(), ndjson.Records{}).Copy(ctx, o, progress)
}

// openStorage opens one of two databases.
func openStorage(ctx context.Context, cfg config.Config, database config.Database, how opening) (storage.Backend, func() error, error) {
	d, err := driver(database)
	if err != nil {
		return nil, nil, err
	}
	if d.Ephemeral {
		return nil, nil, fmt.Errorf("%s: is kept by the process that serves; there is nothing to copy from or to", d.Scheme)
	}
	b, err := d.Open(database.URL(), storage.Options{DataDir: cfg.DataDir, Access: how.access, Notice: how.notice})
	if err != nil {
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

// Export writes everything in the configured storage to w. A running instance may be using the storage
// at the same time; then each record is exported in a state that it had during the export. The export is recorded in
// the audit trail, unless the storage can only be read.
func Export(ctx context.Context, cfg config.Config, w io.Writer, notice func(text string), progress inbound.Progress) (got []archive.Contents, err error) {
	export := func(ctx context.Context, m moving) error {
		got, err = transfer.NewExporting(m.Backend.Archive(), ndjson.NewWriter(w), ndjson.Records{}, m.Ports).Export(ctx, progress)
		return err
	}
	err = move(ctx, cfg, opening{access: Write, notice: notice}, export)
	if errors.Is(err, storage.ErrReadOnly) { // found before anything was written
		notice("the audit trail will not show this export: " + err.Error())
		err = move(ctx, cfg, opening{access: Read, notice: notice}, export)
	}
	return got, err
}

// CheckExport reads an export to its end and stores nothing.
func CheckExport(ctx context.Context, r io.Reader, progress inbound.Progress) ([]archive.Contents, error) {
	return transfer.NewRestoring(ndjson.NewReader(r), memory.New().Archive(), ndjson.Records{}).Check(ctx, progress)
}

// Restore stores all of an export in the configured storage.
func Restore(ctx context.Context, cfg config.Config, r io.Reader, resume bool, notice func(text string), progress inbound.Progress) (got []archive.Contents, err error) {
	err = move(ctx, cfg, opening{access: Create, notice: notice}, func(ctx context.Context, m moving) error {
		got, err = transfer.NewRestoring(ndjson.NewReader(r), m.Backend.Archive(), ndjson.Records{}).Restore(ctx, resume, progress)
		return err
	})
	return got, err
}
