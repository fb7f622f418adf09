package django

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/adapters/sqlitefile"
	"roster/domain/user"
	"roster/ports/outbound"
)

// sqliteDatabase is a Django project's SQLite file. It is read in stretches, each in a moment: whoever
// reads keeps Django from writing, where the database is not in WAL mode.
type sqliteDatabase struct {
	database
	file *sqlitefile.File
	db   *sql.DB
}

// stretch is how many rows are read at once.
const stretch = 1000

func openSQLite(ctx context.Context, path string, o Options) (_ Source, err error) {
	file, err := sqlitefile.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	s := &sqliteDatabase{file: file}
	if s.db, err = file.Pool(1); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), file.Close())
	}
	s.database, err = inspect(ctx, o, s)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), s.Close(ctx))
	}
	return s, nil
}

// Note implements Source.
func (s *sqliteDatabase) Note() string { return s.file.Note() }

// Close implements Source.
func (s *sqliteDatabase) Close(context.Context) error {
	return errors.Join(s.db.Close(), s.file.Close())
}

func (s *sqliteDatabase) tables(ctx context.Context) (out map[string]table, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT m.name, c.name, c.pk FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type IN ('table', 'view') ORDER BY m.name, c.cid`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[string]table{}
	for rows.Next() {
		var name, column string
		var pk int
		if err := rows.Scan(&name, &column, &pk); err != nil {
			return nil, err
		}
		t := out[name]
		t.sql = quoted(name)
		t.columns = append(t.columns, column)
		if pk == 1 {
			t.key = column
		}
		out[name] = t
	}
	return out, rows.Err()
}

func (s *sqliteDatabase) count(ctx context.Context, t table) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM "+t.sql).Scan(&n)
	return n, err
}

// Count implements outbound.UserSource. It fails when two rows have the same key, or one has none,
// since they are read in stretches of keys.
func (s *sqliteDatabase) Count(ctx context.Context) (users, tokens int64, err error) {
	users, tokens, err = s.database.Count(ctx)
	var keys int64
	if err == nil {
		err = s.db.QueryRowContext(ctx, "SELECT count(DISTINCT t."+quoted(s.table.key)+") FROM "+s.table.sql+" AS t").Scan(&keys)
	}
	if err == nil && keys < users { // users may have been added between the two
		err = fmt.Errorf("column %s of table %s has no value, or the same one, in several rows; name another with --field id=COLUMN", s.table.key, s.name)
	}
	return users, tokens, err
}

// LastUserID implements outbound.UserSource. Django's tables count with AUTOINCREMENT, whose last
// number outlives its row.
func (s *sqliteDatabase) LastUserID(ctx context.Context) (n int64, err error) {
	tables, err := s.tables(ctx)
	if err != nil {
		return 0, err
	}
	if _, counts := tables["sqlite_sequence"]; !counts {
		return 0, nil
	}
	err = s.db.QueryRowContext(ctx, "SELECT seq FROM sqlite_sequence WHERE name = ?", s.name).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) || n > user.LastImportedID {
		return 0, nil
	}
	return n, err
}

// Users implements outbound.UserSource.
func (s *sqliteDatabase) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	return s.each(ctx, s.userColumns(), s.table.sql+" AS t", func(r row, tooLong bool) error { return visit(s.row(r, tooLong)) })
}

// RevokedTokens implements outbound.UserSource.
func (s *sqliteDatabase) RevokedTokens(ctx context.Context, visit func(outbound.RevokedToken) error) error {
	if s.revoked.sql == "" {
		return nil
	}
	return s.each(ctx, blacklistColumns, blacklistTables, func(r row, _ bool) error { return visit(r.revokedToken()) })
}

// each reads all rows in stretches, in the order of the first column, which is different in each.
func (s *sqliteDatabase) each(ctx context.Context, columns []column, from string, visit func(r row, tooLong bool) error) error {
	key := columns[0].sql
	list := []string{key, anyTooLong(columns[1:])}
	for _, c := range columns[1:] {
		list = append(list, c.bounded())
	}
	query, where := "SELECT "+strings.Join(list, ", ")+" FROM "+from+" WHERE ", "true"
	args := []any{stretch}
	for {
		page, err := s.page(ctx, len(list), query+where+" ORDER BY "+key+" LIMIT ?", args...)
		if err != nil {
			return err
		}
		for _, values := range page {
			r := row{}
			for i, v := range slices.Delete(slices.Clone(values), 1, 2) {
				if r[columns[i].name], err = asJSON(v); err != nil {
					return err
				}
			}
			if err := visit(r, values[1] != int64(0)); err != nil {
				return err
			}
		}
		if len(page) < stretch {
			return nil
		}
		args, where = []any{page[stretch-1][0], stretch}, key+" > ?"
	}
}

// page returns the rows of a query, each with so many values.
func (s *sqliteDatabase) page(ctx context.Context, width int, query string, args ...any) (page [][]any, err error) {
	defer func() {
		if e := s.file.Unchanged(); e != nil {
			page, err = nil, e
		}
	}()
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		values, into := make([]any, width), make([]any, width)
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		page = append(page, values)
	}
	return page, rows.Err()
}

// asJSON returns a value of SQLite's as a fixture has it. What JSON cannot hold becomes what no member
// takes: a number beyond all, or the bytes of a text in another encoding in an array.
func asJSON(v any) (jsontext.Value, error) {
	switch x := v.(type) {
	case []byte:
		v = hex.EncodeToString(x)
	case string:
		if !utf8.ValidString(x) {
			v = []string{hex.EncodeToString([]byte(x))}
		}
	case float64:
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return jsontext.Value(infinite), nil
		}
	}
	return json.Marshal(v)
}
