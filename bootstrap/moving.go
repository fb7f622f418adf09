package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/django"
	"roster/adapters/ndjson"
	"roster/adapters/storage"
	"roster/application"
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
func move(ctx context.Context, cfg config.Config, do func(context.Context, moving) error) error {
	if err := lasting(cfg.Database); err != nil {
		return named(databaseSetting, err)
	}
	var m moving
	take := fx.Invoke(func(in moving) { m = in })
	return run(ctx, fx.Options(core(cfg, zap.NewNop()), take), func() error {
		return do(inbound.WithOrigin(ctx, inbound.Origin{Channel: audit.Operator}), m)
	})
}

// ImportDjango takes the users of a Django project over into the configured storage. found is told
// what will be read before it is. A running instance may be using the storage at the same time.
func ImportDjango(ctx context.Context, cfg config.Config, s DjangoSource, o inbound.ImportOptions,
	found func(what string), tell func(inbound.ImportRow) error, progress inbound.Progress,
) (summary inbound.ImportSummary, err error) {
	if err := lasting(cfg.Database); err != nil { // before a long look at the source
		return summary, named(databaseSetting, err)
	}
	source, err := django.Open(ctx, django.Options{
		Source: s.Source, UserModel: s.UserModel, Table: s.Table, Fields: s.Fields, TimeZone: s.TimeZone,
	})
	if err != nil {
		return summary, named("SOURCE", err)
	}
	defer func() { err = errors.Join(err, source.Close(context.WithoutCancel(ctx))) }()
	o.Source = source.Describe()
	found(o.Source)
	err = move(ctx, cfg, func(ctx context.Context, m moving) error {
		summary, err = application.NewImporting(application.ImportPorts{
			Source: source, Archive: m.Backend.Archive(), Hashes: m.Hashes, Ports: m.Ports,
		}).Import(ctx, o, tell, progress)
		return err
	})
	return summary, err
}

// Copy takes everything from one storage to another, each named by its URL; an empty one is that of the
// settings.
func Copy(ctx context.Context, cfg config.Config, from, to string, o inbound.CopyOptions, progress inbound.Progress) (got []inbound.Contents, err error) {
	source, target := cfg.Database, cfg.Database
	sourceName, targetName := databaseSetting, databaseSetting
	if from != "" {
		sourceName = "--from"
		if source, err = config.ParseDatabase(from); err != nil {
			return nil, named(sourceName, err)
		}
	}
	if to != "" {
		targetName = "--to"
		if target, err = config.ParseDatabase(to); err != nil {
			return nil, named(targetName, err)
		}
	}
	if *source.URL() == *target.URL() {
		return nil, errors.New("source and target are the same")
	}
	one, closeOne, err := openArchive(ctx, cfg, source)
	if err != nil {
		return nil, named(sourceName, err)
	}
	defer func() { err = errors.Join(err, closeOne()) }()
	other, closeOther, err := openArchive(ctx, cfg, target)
	if err != nil {
		return nil, named(targetName, err)
	}
	defer func() { err = errors.Join(err, closeOther()) }()
	return application.NewCopying(one, other, ndjson.Records{}).Copy(ctx, o, progress)
}

// openArchive opens a storage and brings its schema up to date.
func openArchive(ctx context.Context, cfg config.Config, database config.Database) (outbound.Archive, func() error, error) {
	d, err := driver(database)
	if err != nil {
		return nil, nil, err
	}
	if d.Ephemeral {
		return nil, nil, fmt.Errorf("%s: is kept by the process that serves; there is nothing to copy from or to", d.Scheme)
	}
	b, err := d.Open(database.URL(), storage.Options{DataDir: cfg.DataDir})
	if err != nil {
		return nil, nil, err
	}
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := b.Start(starting); err != nil {
		return nil, nil, inTime(err, starting, startTimeout)
	}
	return b.Archive(), func() error {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return b.Close(closing)
	}, nil
}

// Export writes everything in the configured storage to w. A running instance may be using the storage
// at the same time; then each record is in some state that it had meanwhile.
func Export(ctx context.Context, cfg config.Config, w io.Writer, progress inbound.Progress) (got []inbound.Contents, err error) {
	err = move(ctx, cfg, func(ctx context.Context, m moving) error {
		got, err = application.NewExporting(m.Backend.Archive(), ndjson.NewWriter(w), ndjson.Records{}, m.Ports).Export(ctx, progress)
		return err
	})
	return got, err
}

// CheckExport reads an export to its end and stores nothing.
func CheckExport(ctx context.Context, r io.Reader, progress inbound.Progress) ([]inbound.Contents, error) {
	return application.NewRestoring(ndjson.NewReader(r), nil, ndjson.Records{}).Check(ctx, progress)
}

// Restore stores all of an export in the configured storage.
func Restore(ctx context.Context, cfg config.Config, r io.Reader, resume bool, progress inbound.Progress) (got []inbound.Contents, err error) {
	err = move(ctx, cfg, func(ctx context.Context, m moving) error {
		got, err = application.NewRestoring(ndjson.NewReader(r), m.Backend.Archive(), ndjson.Records{}).Restore(ctx, resume, progress)
		return err
	})
	return got, err
}
