package django

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"roster/domain/user"
	"roster/ports/outbound"
)

// postgresDatabase is a Django project's PostgreSQL database. Each read is one query, whose rows
// arrive as they are asked for.
type postgresDatabase struct {
	database
	conn *pgx.Conn
}

func openPostgres(ctx context.Context, o Options) (Source, error) {
	c, err := pgx.ParseConfig(o.Source)
	if err != nil {
		return nil, errors.New("postgres: the URL cannot be read") // pgx's own text would quote it
	}
	for name, value := range map[string]string{
		"application_name": "roster import", "default_transaction_read_only": "on", "TimeZone": "UTC",
		"DateStyle": "ISO", "standard_conforming_strings": "on", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0",
	} {
		c.RuntimeParams[name] = value
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	p := &postgresDatabase{conn: conn}
	if p.database, err = inspect(ctx, o, p); err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: %w", err), conn.Close(ctx))
	}
	return p, nil
}

// Close implements Source.
func (p *postgresDatabase) Close(ctx context.Context) error { return p.conn.Close(ctx) }

func (p *postgresDatabase) tables(ctx context.Context) (map[string]table, error) {
	rows, err := p.conn.Query(ctx, `
		SELECT n.nspname, n.nspname = ANY (current_schemas(false)), c.relname, a.attname, coalesce(a.attnum = i.indkey[0], false)
		FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
		ORDER BY n.nspname, c.relname, a.attnum`)
	if err != nil {
		return nil, err
	}
	out := map[string]table{}
	var schema, name, column string
	var onPath, key bool
	_, err = pgx.ForEachRow(rows, []any{&schema, &onPath, &name, &column, &key}, func() error {
		spelt := quoted(schema) + "." + quoted(name)
		if !onPath {
			name = schema + "." + name
		}
		t := out[name]
		t.sql = spelt
		t.columns = append(t.columns, column)
		if key {
			t.key = column
		}
		out[name] = t
		return nil
	})
	return out, err
}

func (p *postgresDatabase) count(ctx context.Context, t table) (n int64, err error) {
	err = p.conn.QueryRow(ctx, "SELECT count(*) FROM "+t.sql).Scan(&n)
	return n, err
}

// LastUserID implements outbound.UserSource. The sequence's last number outlives its row.
func (p *postgresDatabase) LastUserID(ctx context.Context) (int64, error) {
	var sequence *string
	err := p.conn.QueryRow(ctx, "SELECT pg_get_serial_sequence($1, $2)", p.table.sql, p.table.key).Scan(&sequence)
	if err != nil || sequence == nil {
		return 0, err
	}
	var n *int64
	err = p.conn.QueryRow(ctx, "SELECT CASE WHEN is_called THEN last_value END FROM "+*sequence).Scan(&n)
	if err != nil || n == nil || *n > user.LastImportedID {
		return 0, err
	}
	return *n, nil
}

// Users implements outbound.UserSource.
func (p *postgresDatabase) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	return p.each(ctx, p.userColumns(), p.table.sql+" AS t", func(r row, tooLong bool) error { return visit(p.row(r, tooLong)) })
}

// RevokedTokens implements outbound.UserSource.
func (p *postgresDatabase) RevokedTokens(ctx context.Context, visit func(outbound.RevokedToken) error) error {
	if p.revoked.sql == "" {
		return nil
	}
	return p.each(ctx, blacklistColumns, blacklistTables, func(r row, _ bool) error { return visit(r.revokedToken()) })
}

// each reads all rows, in the order of the first column.
func (p *postgresDatabase) each(ctx context.Context, columns []column, from string, visit func(r row, tooLong bool) error) error {
	members := make([]string, len(columns))
	for i, c := range columns {
		members[i] = "'" + strings.ReplaceAll(c.name, "'", "''") + "', " + c.bounded()
	}
	query := "SELECT json_build_object(" + strings.Join(members, ", ") + ")::text, " + anyTooLong(columns) + " FROM " + from + " ORDER BY " + columns[0].sql
	rows, err := p.conn.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		var tooLong bool
		if err := rows.Scan(&text, &tooLong); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		var r row
		if err := json.Unmarshal(text, &r, lenient); err != nil {
			return fmt.Errorf("postgres: a row is no JSON object")
		}
		if err := visit(r, tooLong); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}
