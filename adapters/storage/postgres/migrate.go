package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"roster/adapters/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// lockID is the advisory lock ("Rost") that an instance holds while it changes the schema.
const lockID = 0x526F7374

// mark is the table that marks a schema as one of Roster.
const mark = "roster_schema"

// prepare makes the database ready for this program, or refuses it. Several instances may do so at the
// same time. It takes as long as it takes: the end is ctx's.
func prepare(ctx context.Context, config *pgx.ConnConfig, o storage.Options) (err error) {
	config = config.Copy()
	config.RuntimeParams = maps.Clone(config.RuntimeParams)
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := o.Reach(ctx, func(ctx context.Context) error { return unreached(ctx, config, db.PingContext(ctx)) }); err != nil {
		return err
	}
	created, err := claim(ctx, db, o.Access)
	if err != nil {
		return allowed(config, err)
	}
	if created {
		o.Notify(fmt.Sprintf("created the tables in the PostgreSQL database %s at %s", config.Database, config.Host))
	}
	return allowed(config, migrate(ctx, db, o))
}

// claim marks an empty schema as one of Roster, if the options permit, and begins its list of migrations. It does not
// change a schema that is not empty.
func claim(ctx context.Context, db *sql.DB, access storage.Access) (created bool, err error) {
	const op = "open the database"
	if isRoster, err := marked(ctx, db); err != nil || isRoster {
		return false, translate(ctx, op, err)
	}
	if access != storage.Create {
		return false, fmt.Errorf("postgres: %w: its schema holds no tables of Roster", storage.ErrNoDatabase)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, translate(ctx, op, err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", lockID); err != nil {
		return false, translate(ctx, op, err)
	}
	if isRoster, err := marked(ctx, tx); err != nil || isRoster {
		return false, translate(ctx, op, err) // another instance was faster
	}
	var schema sql.Null[string]
	var encoding string
	var objects int
	if err := tx.QueryRowContext(ctx, selectForeign).Scan(&schema, &encoding, &objects); err != nil {
		return false, translate(ctx, op, err)
	}
	switch {
	case encoding != "UTF8":
		return false, fmt.Errorf("postgres: the database's encoding is %s: it must be UTF8, to hold every name", encoding)
	case !schema.Valid:
		return false, errors.New("postgres: the search path names no schema that is there")
	case objects > 0:
		return false, fmt.Errorf("postgres: the schema %q is another program's (%d objects): give Roster a database or a schema of its own",
			schema.V, objects)
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE "+mark+" (program text NOT NULL PRIMARY KEY)"); err != nil {
		return false, translate(ctx, op, err)
	}
	versions, err := database.NewStore(goose.DialectPostgres, goose.DefaultTablename)
	if err != nil {
		return false, fmt.Errorf("postgres: %w", err)
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

// selectForeign counts what a schema holds besides what extensions put there.
const selectForeign = `SELECT current_schema(), current_setting('server_encoding'), count(c.oid) FROM pg_catalog.pg_class c
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
	AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
		WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`

// selectMark looks into the catalogue itself: to_regclass may answer from before the lock was granted.
const selectMark = `SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = current_schema() AND c.relname = $1)`

// marked reports whether the schema in which we would make tables has our mark.
func marked(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (isRoster bool, err error) {
	err = q.QueryRowContext(ctx, selectMark, mark).Scan(&isRoster)
	return isRoster, err
}

// migrate brings the schema up to date, each step in a transaction of its own, one instance at a time.
func migrate(ctx context.Context, db *sql.DB, o storage.Options) error {
	const op = "migrate the database"
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	// The lock is tried each second, for an hour or until ctx ends: a session that waits for it would block some kinds of
	// migrations.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(lockID), lock.WithLockTimeout(1, 3600))
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return translate(ctx, op, err)
	}
	if have < known && o.Access == storage.Read {
		return fmt.Errorf("postgres: %w", storage.TooOld("the database", have, known))
	}
	if have < known {
		if have > 0 {
			o.NotifyBuilding(fmt.Sprintf("schema version %d, from %d", known, have))
		}
		if _, err := p.Up(ctx); err != nil {
			return translate(ctx, op, err)
		}
		if have, _, err = p.GetVersions(ctx); err != nil {
			return translate(ctx, op, err)
		}
	}
	if have > known {
		return fmt.Errorf("postgres: the database has schema version %d, and this program knows %d at most: use a newer one", have, known)
	}
	return nil
}
