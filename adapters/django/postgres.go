package django

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

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
		"DateStyle": "ISO", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0",
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

// identifier quotes the name of a table, which may be told with its schema.
func identifier(name string) string { return pgx.Identifier(strings.Split(name, ".")).Sanitize() }

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
		if !onPath {
			name = schema + "." + name
		}
		t := out[name]
		t.columns = append(t.columns, column)
		if key {
			t.key = column
		}
		out[name] = t
		return nil
	})
	return out, err
}

func (p *postgresDatabase) count(ctx context.Context, name string) (n int64, err error) {
	err = p.conn.QueryRow(ctx, "SELECT count(*) FROM "+identifier(name)).Scan(&n)
	return n, err
}

// LastUserID implements outbound.UserSource. The sequence's last number outlives its row.
func (p *postgresDatabase) LastUserID(ctx context.Context) (int64, error) {
	var sequence *string
	err := p.conn.QueryRow(ctx, "SELECT pg_get_serial_sequence($1, $2)", identifier(p.name), p.table.key).Scan(&sequence)
	if err != nil || sequence == nil {
		return 0, err
	}
	var n *int64
	err = p.conn.QueryRow(ctx, "SELECT CASE WHEN is_called THEN last_value END FROM "+*sequence).Scan(&n)
	if err != nil || n == nil {
		return 0, err
	}
	return *n, nil
}

// Users implements outbound.UserSource.
func (p *postgresDatabase) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	query := "SELECT row_to_json(t)::text FROM " + identifier(p.name) + " AS t ORDER BY t." + identifier(p.table.key)
	return p.each(ctx, query, func(r row) error { return visit(p.row(r[p.table.key], r)) })
}

// RevokedTokens implements outbound.UserSource.
func (p *postgresDatabase) RevokedTokens(ctx context.Context, visit func(outbound.RevokedToken) error) error {
	if err := p.needBlacklist(); err != nil {
		return err
	}
	query := "SELECT row_to_json(t)::text FROM (SELECT " + blacklistColumns + " FROM " + blacklistTables + ") AS t"
	return p.each(ctx, query, func(r row) error {
		token, err := r.revokedToken()
		if err != nil {
			return err
		}
		return visit(token)
	})
}

// each reads the rows of a query that gives one JSON object each.
func (p *postgresDatabase) each(ctx context.Context, query string, visit func(row) error) error {
	rows, err := p.conn.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		var r row
		if err := json.Unmarshal(text, &r, lenient); err != nil {
			return fmt.Errorf("postgres: a row is no JSON object")
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}
