package django

import (
	"context"
	"errors"
	"fmt"

	"roster/adapters/sqlitefile"
	"roster/domain/user"
)

// sqliteDatabase is an SQLite file. It is read in batches, each in a short query: a read keeps Django from writing when
// the database is not in WAL mode.
type sqliteDatabase struct {
	database
	file *sqlitefile.File
}

// batch is the number of rows per query.
const batch = 1000

func openSQLite(ctx context.Context, path string, o Options) (Source, error) {
	file, err := sqlitefile.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	db, err := file.Pool(1)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), file.Close())
	}
	blob := "CASE typeof(?) WHEN 'blob' THEN hex(?) ELSE ? END" // JSON has no binary values
	s := &sqliteDatabase{database{o: o, db: db, object: "json_object", value: blob}, file}
	s.each = s.inBatches
	tables, err := s.tables(ctx, `SELECT 'main', true, m.name, c.name, c.pk = 1 FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type IN ('table', 'view') ORDER BY m.name, c.cid`)
	if err == nil {
		err = s.find(tables)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), s.Close(ctx))
	}
	return s, nil
}

func (s *sqliteDatabase) Note() string { return s.file.Note() }

func (s *sqliteDatabase) Close(context.Context) error {
	return errors.Join(s.db.Close(), s.file.Close())
}

// Count fails when two rows have the same key, or a row has none: a batch starts after the last key of the batch before.
func (s *sqliteDatabase) Count(ctx context.Context) (users, tokens int64, err error) {
	users, tokens, err = s.database.Count(ctx)
	var keys int64
	if err == nil {
		query := "SELECT count(DISTINCT t." + quoted(s.table.key) + ") FROM " + s.table.sql + " AS t"
		err = s.db.QueryRowContext(ctx, query).Scan(&keys)
	}
	if err == nil && keys < users { // users may have been added between the two queries
		err = fmt.Errorf("column %s of table %s has no value, or the same one, in several rows; name another with --field id=COLUMN",
			s.table.key, s.name)
	}
	return users, tokens, err
}

// LastUserID returns the last number of AUTOINCREMENT, which may be that of a deleted user.
func (s *sqliteDatabase) LastUserID(ctx context.Context) (n int64, err error) {
	var counts bool
	err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence'").Scan(&counts)
	if err != nil || !counts {
		return 0, err
	}
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?", s.name).Scan(&n)
	if n > user.LastImportedID {
		n = 0
	}
	return n, err
}

func (s *sqliteDatabase) inBatches(ctx context.Context, columns []column, from string, visit func(r row, tooLong bool) error) error {
	type found struct {
		row     row
		tooLong bool
	}
	key := columns[0].sql
	query, order := s.query(columns, from), " ORDER BY "+key+" LIMIT ?"
	args := []any{batch}
	for {
		var rows []found
		var last any
		err := s.read(ctx, query+order, args, func(key any, r row, tooLong bool) error {
			rows, last = append(rows, found{r, tooLong}), key
			return nil
		})
		if err := errors.Join(err, s.file.Unchanged()); err != nil {
			return err
		}
		for _, f := range rows {
			if err := visit(f.row, f.tooLong); err != nil {
				return err
			}
		}
		if len(rows) < batch {
			return nil
		}
		args, order = []any{last, batch}, " WHERE "+key+" > ? ORDER BY "+key+" LIMIT ?"
	}
}
