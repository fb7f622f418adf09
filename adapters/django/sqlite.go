package django

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/adapters/sqlitefile"
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
		t.columns = append(t.columns, column)
		if pk == 1 {
			t.key = column
		}
		out[name] = t
	}
	return out, rows.Err()
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (s *sqliteDatabase) count(ctx context.Context, name string) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM "+quoted(name)).Scan(&n)
	return n, err
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
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// Users implements outbound.UserSource.
func (s *sqliteDatabase) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	return s.each(ctx, s.table, "SELECT * FROM "+quoted(s.name)+" WHERE %s ORDER BY "+quoted(s.table.key)+" LIMIT ?", quoted(s.table.key), func(r row) error {
		return visit(s.row(r[s.table.key], r))
	})
}

// RevokedTokens implements outbound.UserSource.
func (s *sqliteDatabase) RevokedTokens(ctx context.Context, visit func(outbound.RevokedToken) error) error {
	if err := s.needBlacklist(); err != nil {
		return err
	}
	t := table{columns: []string{"id", "user", "jti", "token", "created_at", "expires_at", "blacklisted_at"}, key: "id"}
	return s.each(ctx, t, "SELECT "+blacklistColumns+" FROM "+blacklistTables+" WHERE %s ORDER BY b.id LIMIT ?", "b.id", func(r row) error {
		token, err := r.revokedToken()
		if err != nil {
			return err
		}
		return visit(token)
	})
}

// each reads all rows in stretches. where is the condition's place in query, which key continues.
func (s *sqliteDatabase) each(ctx context.Context, t table, query, key string, visit func(row) error) error {
	args, where := []any{stretch}, "true"
	for {
		page, last, err := s.page(ctx, t, fmt.Sprintf(query, where), args...)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := visit(r); err != nil {
				return err
			}
		}
		if len(page) < stretch {
			return nil
		}
		args, where = []any{last, stretch}, key+" > ?"
	}
}

func (s *sqliteDatabase) page(ctx context.Context, t table, query string, args ...any) (page []row, last any, err error) {
	defer func() {
		if e := s.file.Unchanged(); e != nil {
			page, err = nil, e
		}
	}()
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	at := slices.Index(t.columns, t.key)
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		r := make(row, len(values))
		for i, v := range values {
			if r[t.columns[i]], err = asJSON(v); err != nil {
				return nil, nil, err
			}
		}
		last = values[at]
		page = append(page, r)
	}
	return page, last, rows.Err()
}

// asJSON returns a value of SQLite's as a fixture has it. The driver makes times of columns that were
// declared so; Django's have no offset there, which the driver takes for UTC.
func asJSON(v any) (jsontext.Value, error) {
	switch x := v.(type) {
	case []byte:
		v = hex.EncodeToString(x)
	case time.Time:
		layout := "2006-01-02T15:04:05.999999999"
		if _, offset := x.Zone(); offset != 0 {
			layout += "Z07:00"
		}
		v = x.Format(layout)
	}
	return json.Marshal(v, lenient)
}
