package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"

	"go.uber.org/fx"

	"roster/adapters/django"
	"roster/adapters/ndjson"
	"roster/adapters/storage"
	"roster/adapters/storage/memory"
	"roster/application"
	"roster/application/transfer"
	"roster/bootstrap/config"
	"roster/domain/archive"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// DjangoSource says what to read of Django.
type DjangoSource = django.Options

// DjangoMembers returns the members that DjangoSource.Fields may map.
func DjangoMembers() []string { return django.Members() }

// transferring is what transfers need of the graph.
type transferring struct {
	fx.In

	Ports   application.Ports
	Backend storage.Backend
	Hashes  outbound.StoredHashes
}

// ImportDjango stores the users of a Django project in the configured storage, which a running instance may be using at
// the same time. It calls found with what it will read, once all is open and before it takes the first row; an error of
// found ends the import.
func ImportDjango(ctx context.Context, cfg config.Config, s DjangoSource, o inbound.ImportOptions,
	notice func(text string), found func(what string) error, report func(inbound.ImportRow) error, progress inbound.Progress,
) (summary inbound.ImportSummary, err error) {
	if err := requirePersistent(cfg.Database); err != nil { // before a long look at the source
		return summary, named(cfg, "database", err)
	}
	source, err := django.Open(ctx, s)
	if err != nil {
		return summary, fmt.Errorf("SOURCE: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close(context.WithoutCancel(ctx))) }()
	o.Source = source.Describe()
	if note := source.Note(); note != "" {
		notice(note)
	}
	target := storage.Options{Access: Create, Load: true, Notice: notice}
	if o.DryRun {
		target.Access = Read
	}
	err = operate(ctx, cfg, target, func(ctx context.Context, t transferring) error {
		if err := found(o.Source); err != nil {
			return err
		}
		summary, err = transfer.NewImporting(transfer.ImportPorts{
			Source: source, Archive: t.Backend.Archive(), Hashes: t.Hashes, Ports: t.Ports,
		}).Import(ctx, o, report, progress)
		return err
	})
	return summary, err
}

// Copy copies everything from one storage to another. Each is named by its URL; "" is that of the settings.
func Copy(
	ctx context.Context, cfg config.Config, from, to string, o inbound.CopyOptions, notice func(text string), progress inbound.Progress,
) (got []archive.Contents, err error) {
	options := storage.Options{Access: Create, Load: true, Notice: notice}
	if o.VerifyOnly {
		options.Access = Read
	}
	open := func(flag, url string, options storage.Options) (b storage.Backend, closeIt func() error, err error) {
		name, database := cfg.Where("database"), cfg.Database
		if url != "" {
			name = flag
			database, err = config.ParseDatabase(url)
		}
		if err == nil {
			b, closeIt, err = openStorage(ctx, cfg, database, options)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		return b, closeIt, nil
	}
	source, closeSource, err := open("--from", from, storage.Options{Access: Read, Notice: notice})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	target, closeTarget, err := open("--to", to, options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeTarget()) }()
	same, err := source.Same(ctx, target)
	if err != nil {
		return nil, err
	}
	if same {
		return nil, errors.New("source and target are the same database")
	}
	return transfer.NewCopying(source.Archive(), target.Archive(), ndjson.Records{}).Copy(ctx, o, progress)
}

// Export writes everything in the configured storage to w. A running instance may be using the storage at the same time;
// then each record is exported in a state that it had during the export. The export is recorded in the audit trail,
// unless the storage can only be read.
func Export(
	ctx context.Context, cfg config.Config, w io.Writer, notice func(text string), progress inbound.Progress,
) (got []archive.Contents, err error) {
	export := func(ctx context.Context, t transferring) error {
		got, err = transfer.NewExporting(t.Backend.Archive(), ndjson.NewWriter(w), ndjson.Records{}, t.Ports).Export(ctx, progress)
		return err
	}
	err = operate(ctx, cfg, storage.Options{Access: Write, Notice: notice}, export)
	if errors.Is(err, storage.ErrReadOnly) { // before anything was written
		notice("the audit trail will not show this export: " + err.Error())
		err = operate(ctx, cfg, storage.Options{Access: Read, Notice: notice}, export)
	}
	return got, err
}

// CheckExport reads an export to its end and stores nothing.
func CheckExport(ctx context.Context, r io.Reader, progress inbound.Progress) ([]archive.Contents, error) {
	return transfer.NewRestoring(ndjson.NewReader(r), memory.New().Archive(), ndjson.Records{}).Check(ctx, progress)
}

// Restore stores all of an export in the configured storage.
func Restore(
	ctx context.Context, cfg config.Config, r io.Reader, resume bool, notice func(text string), progress inbound.Progress,
) (got []archive.Contents, err error) {
	o := storage.Options{Access: Create, Load: true, Notice: notice}
	err = operate(ctx, cfg, o, func(ctx context.Context, t transferring) error {
		got, err = transfer.NewRestoring(ndjson.NewReader(r), t.Backend.Archive(), ndjson.Records{}).Restore(ctx, resume, progress)
		return err
	})
	return got, err
}
