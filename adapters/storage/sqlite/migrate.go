package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"roster/adapters/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as a database of Roster ("Rost"), see PRAGMA application_id.
const applicationID = 0x526F7374

// prepare brings the database at path to the schema of this program, or refuses it, and reports whether it is new.
// Several processes may do so at the same time.
func prepare(ctx context.Context, db *sql.DB, path string, o storage.Options) (created bool, err error) {
	if created, err = claim(ctx, db, path, o.Access); err != nil {
		return false, err
	}
	if err := logAhead(ctx, db, path); err != nil {
		return false, err
	}
	return created, migrate(ctx, db, path, o)
}

// recognise fails unless the database is one of Roster with the schema of this program. It writes nothing.
func recognise(ctx context.Context, db *sql.DB, path string) error {
	op := "open " + path
	if isRoster, err := marked(ctx, db, path); err != nil || !isRoster {
		return errors.Join(err, noDatabase(path))
	}
	p, err := provider(db)
	if err != nil {
		return err
	}
	versions, err := database.NewStore(goose.DialectSQLite3, goose.DefaultTablename)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	have, err := versions.GetLatestVersion(ctx, db)
	if err != nil {
		return translate(ctx, op, err)
	}
	sources := p.ListSources()
	switch known := sources[len(sources)-1].Version; {
	case have > known:
		return tooNew(path, have, known)
	case have < known:
		return fmt.Errorf("sqlite: %w", storage.TooOld(path, have, known))
	}
	is, err := loading(ctx, db)
	if err == nil && is {
		err = errLoading(path)
	}
	return translate(ctx, op, err)
}

// tooNew is the error of a database that a newer program has changed.
func tooNew(path string, have, known int64) error {
	return fmt.Errorf("sqlite: %s has schema version %d, and this program knows %d at most: use a newer one", path, have, known)
}

// selectMark is one statement, so that its values belong together: another process may be claiming the database.
const selectMark = "SELECT a.application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id a"

// marked reports whether the database at path has Roster's mark, and refuses one of another program.
func marked(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, path string) (isRoster bool, err error) {
	op := "open " + path
	var id, objects int64
	err = q.QueryRowContext(ctx, selectMark).Scan(&id, &objects)
	switch {
	case err != nil || id == applicationID:
		return err == nil, translate(ctx, op, err)
	case id != 0 || objects > 0:
		return false, fmt.Errorf("sqlite: %s is another program's database: give Roster a file of its own", path)
	}
	return false, nil
}

// claim marks an empty database as one of Roster, if the options permit, and begins its list of migrations. It does
// not change a database that is not empty, and does not wait for writers when the mark exists.
func claim(ctx context.Context, db *sql.DB, path string, access storage.Access) (created bool, err error) {
	op := "open " + path
	if isRoster, err := marked(ctx, db, path); err != nil || isRoster {
		return false, err
	}
	if access != storage.Create {
		return false, noDatabase(path)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, translate(ctx, op, err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if isRoster, err := marked(ctx, tx, path); err != nil || isRoster {
		return false, err // another process was faster
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return false, translate(ctx, op, err)
	}
	versions, err := database.NewStore(goose.DialectSQLite3, goose.DefaultTablename)
	if err != nil {
		return false, fmt.Errorf("sqlite: %w", err)
	}
	if err := versions.CreateVersionTable(ctx, tx); err != nil {
		return false, translate(ctx, op, err)
	}
	if err := versions.Insert(ctx, tx, database.InsertRequest{Version: 0}); err != nil {
		return false, translate(ctx, op, err)
	}
	err = tx.Commit()
	return err == nil, translate(ctx, op, err)
}

// logAhead turns write-ahead logging on, which the file stores. It waits for the write of another process, since
// SQLite does not wait in this case.
func logAhead(ctx context.Context, db *sql.DB, path string) error {
	const pause, limit = 20 * time.Millisecond, 5 * time.Second
	op := "write-ahead log of " + path
	for end := time.Now().Add(limit); ; {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("sqlite: %s: its file system does not allow a write-ahead log (journal mode %s)", path, mode)
		case !busy(err) || time.Now().After(end):
			return translate(ctx, op, err)
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return translate(ctx, op, ctx.Err())
		case <-t.C:
		}
	}
}

// provider returns the migrations as goose runs them. It does no I/O.
func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return p, nil
}

// migrate brings the schema up to date, each step in a transaction of its own.
func migrate(ctx context.Context, db *sql.DB, path string, o storage.Options) error {
	op := "migrate " + path
	p, err := provider(db)
	if err != nil {
		return err
	}
	for {
		have, known, err := p.GetVersions(ctx)
		switch {
		case err != nil:
			return translate(ctx, op, err)
		case have > known:
			return tooNew(path, have, known)
		case have == known:
			return nil
		case have > 0:
			if err := endLoad(ctx, db, path, o); err != nil { // a migration may need what the load dropped
				return err
			}
			o.NotifyBuilding(fmt.Sprintf("schema version %d of %s, from %d", known, path, have))
		}
		_, failed := p.Up(ctx)
		now, _, err := p.GetVersions(ctx)
		if err != nil {
			return translate(ctx, op, errors.Join(failed, err))
		}
		if now == have { // otherwise another process has migrated: check its version
			return translate(ctx, op, failed)
		}
	}
}
