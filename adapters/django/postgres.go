package django

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"roster/domain/user"
)

// postgresDatabase is a PostgreSQL database. Each read is one query.
type postgresDatabase struct{ database }

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
	p := &postgresDatabase{database{o: o, db: stdlib.OpenDB(*c), object: "json_build_object", value: "?"}}
	p.each = p.stream
	tables, err := p.tables(ctx, `
		SELECT n.nspname, n.nspname = ANY (current_schemas(false)), c.relname, a.attname, coalesce(a.attnum = i.indkey[0], false)
		FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
		ORDER BY n.nspname, c.relname, a.attnum`)
	if err == nil {
		err = p.find(tables)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: %w", err), p.Close(ctx))
	}
	return p, nil
}

// LastUserID returns the last number of the table's sequence, which may be that of a deleted user.
func (p *postgresDatabase) LastUserID(ctx context.Context) (int64, error) {
	var sequence *string
	err := p.db.QueryRowContext(ctx, "SELECT pg_get_serial_sequence($1, $2)", p.table.sql, p.table.key).Scan(&sequence)
	if err != nil || sequence == nil {
		return 0, err
	}
	var n int64
	query := "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM " + *sequence
	err = p.db.QueryRowContext(ctx, query).Scan(&n)
	if n > user.LastImportedID {
		n = 0
	}
	return n, err
}

func (p *postgresDatabase) stream(ctx context.Context, columns []column, from string, visit func(r row, tooLong bool) error) error {
	query := p.query(columns, from) + " ORDER BY " + columns[0].sql
	return p.read(ctx, query, nil, func(_ any, r row, tooLong bool) error { return visit(r, tooLong) })
}
