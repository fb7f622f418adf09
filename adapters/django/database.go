package django

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"roster/ports/outbound"
)

// table is a table or view with the names of its columns.
type table struct {
	sql     string // the quoted name
	columns []string
	key     string // the first column of the primary key, or ""
}

// database is a Django project's database. Only columns that hold a member are read: others may be large or of any type.
type database struct {
	o       Options
	db      *sql.DB
	object  string // the SQL function that makes a JSON object of names and values
	value   string // the format of an SQL expression that makes a column a value for object
	name    string // of the table of users
	table   table
	model   string
	emails  table // of allauth's addresses; likewise
	revoked table // of the revoked tokens; without columns if there is none
	// each visits all rows in the order of the first column.
	each func(ctx context.Context, columns []column, from string, visit func(r row, tooLong bool) error) error
}

// column is a column of a query: the name in the row, and its SQL expression.
type column struct{ name, sql string }

// quoted returns an SQL identifier, for both databases.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// maxColumn is the maximum length in bytes of a column that is read. Tokens have some hundred.
const maxColumn = max(maxText, 8192)

// query returns the query of rows: the first column, a JSON object of all columns without the values that are too long,
// and whether there are such values.
func (d *database) query(columns []column, from string) string {
	members, tooLong := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		tooLong[i] = fmt.Sprintf("coalesce(octet_length(CAST(%s AS text)), 0) > %d", c.sql, maxColumn)
		value := strings.ReplaceAll(d.value, "?", c.sql)
		members[i] = fmt.Sprintf("'%s', CASE WHEN NOT %s THEN %s END", strings.ReplaceAll(c.name, "'", "''"), tooLong[i], value)
	}
	return fmt.Sprintf("SELECT %s, CAST(%s(%s) AS text), %s FROM %s",
		columns[0].sql, d.object, strings.Join(members, ", "), strings.Join(tooLong, " OR "), from)
}

// read runs a query of query and calls visit with each row.
func (d *database) read(ctx context.Context, query string, args []any, visit func(key any, r row, tooLong bool) error) (err error) {
	rows, err := d.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var key any
		var text []byte
		var tooLong bool
		if err := rows.Scan(&key, &text, &tooLong); err != nil {
			return err
		}
		var r row
		text = bytes.ToValidUTF8(text, []byte(`\udcff`)) // which no member accepts
		if err := json.Unmarshal(text, &r, lenient); err != nil {
			return errors.New("a row cannot be read as a JSON object")
		}
		if err := visit(key, r, tooLong); err != nil {
			return err
		}
	}
	return rows.Err()
}

// The tables of rest_framework_simplejwt.token_blacklist, joined.
const (
	outstandingTable = "token_blacklist_outstandingtoken"
	blacklistedTable = "token_blacklist_blacklistedtoken"
	blacklistTables  = blacklistedTable + " AS b LEFT JOIN " + outstandingTable + " AS o ON o.id = b.token_id"
)

var blacklistColumns = []column{
	{"id", "b.id"}, {"user", "o.user_id"}, {"jti", "o.jti"}, {"token", "o.token"}, {"created_at", "o.created_at"},
	{"expires_at", "o.expires_at"}, {"blacklisted_at", "b.blacklisted_at"},
}

// userColumns returns the columns to read of the table of users, which the query calls t: the key first.
func (d *database) userColumns() []column {
	out := []column{{d.table.key, "t." + quoted(d.table.key)}}
	for _, m := range Members() {
		c := column{d.o.field(m), "t." + quoted(d.o.field(m))}
		if slices.Contains(d.table.columns, c.name) && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return append(out, d.emailColumns()...)
}

// tables returns the tables by name. query returns the schema, whether it can be left out, the table, the column, and
// whether the column is the first of the primary key.
func (d *database) tables(ctx context.Context, query string) (_ map[string]table, err error) {
	rows, err := d.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out := map[string]table{}
	for rows.Next() {
		var schema, name, column string
		var onPath, key bool
		if err := rows.Scan(&schema, &onPath, &name, &column, &key); err != nil {
			return nil, err
		}
		identifier := quoted(schema) + "." + quoted(name)
		if !onPath {
			name = schema + "." + name
		}
		t := out[name]
		t.sql, t.columns = identifier, append(t.columns, column)
		if key {
			t.key = column
		}
		out[name] = t
	}
	return out, rows.Err()
}

// find finds the table of users among all tables.
func (d *database) find(all map[string]table) (err error) {
	has := func(column string) bool { return slices.Contains(d.table.columns, column) }
	if d.name = d.o.Table; d.name == "" {
		if d.name, err = tableOf(d.o, all); err != nil {
			return err
		}
	}
	var ok bool
	if d.table, ok = all[d.name]; !ok {
		return fmt.Errorf("there is no table %s", d.name)
	}
	if d.table.key == "" {
		if d.table.key = d.o.field(memberID); !has(d.table.key) {
			return fmt.Errorf("table %s has no primary key; name a column with --field id=COLUMN", d.name)
		}
	}
	for _, m := range []string{memberPassword, memberEmail} {
		if f := d.o.field(m); f != "" && !has(f) && (m != memberEmail || !has(d.o.field(memberUsername))) {
			return fmt.Errorf("table %s has no column %s; name it with --field %s=COLUMN", d.name, f, m)
		}
	}
	if d.model = strings.ToLower(d.o.UserModel); d.model == "" {
		d.model = modelOf(d.name)
	}
	d.emails = all[emailTable]
	if _, ok := all[outstandingTable]; ok {
		d.revoked = all[blacklistedTable]
	}
	return nil
}

// tableOf returns the default name of the table of Options.UserModel or, without one, the table with a user's columns.
func tableOf(o Options, all map[string]table) (string, error) {
	if o.UserModel != "" {
		return strings.ToLower(strings.ReplaceAll(o.UserModel, ".", "_")), nil
	}
	var candidates []string
	for name, t := range all {
		if o.isUserModel(func(f string) bool { return slices.Contains(t.columns, f) }) {
			candidates = append(candidates, name)
		}
	}
	return choose("table", "table", candidates)
}

// modelOf returns the model of a table with a default name, so that a rejected row is an object of a fixture.
func modelOf(table string) string {
	if i := strings.LastIndexByte(table, '_'); i > 0 {
		return table[:i] + "." + table[i+1:]
	}
	return "table." + table
}

func (d *database) Describe() string { return "table " + d.name }

func (d *database) Note() string { return "" }

func (d *database) Close(context.Context) error { return d.db.Close() }

func (d *database) Count(ctx context.Context) (users, tokens int64, err error) {
	const count = "SELECT count(*) FROM "
	err = d.db.QueryRowContext(ctx, count+d.table.sql).Scan(&users)
	if err == nil && d.revoked.sql != "" {
		err = d.db.QueryRowContext(ctx, count+d.revoked.sql).Scan(&tokens)
	}
	return users, tokens, err
}

// Users reads each row as an object of a fixture.
func (d *database) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	return d.each(ctx, d.userColumns(), d.table.sql+" AS t", func(r row, tooLong bool) error {
		key := r[d.table.key]
		place := d.name + " " + d.table.key + " " + string(key)
		if tooLong {
			id, _ := idOf(key)
			return visit(malformed(place, id,
				fmt.Sprintf("a column has more than %d bytes; the file of rejected rows is without the row", maxColumn)))
		}
		x := object{Model: d.model, PK: key, Fields: r}
		var err error
		if x.raw, err = x.encoded(); err != nil {
			return visit(malformed(place, "", "the row cannot be written as JSON"))
		}
		return visit(d.o.user(place, x))
	})
}

func (d *database) RevokedTokens(ctx context.Context, visit func(outbound.RevokedToken) error) error {
	if d.revoked.sql == "" {
		return nil
	}
	return d.each(ctx, blacklistColumns, blacklistTables, func(r row, _ bool) error {
		place := blacklistedTable + " id " + string(r["id"])
		at, err := r.revocation()
		if err != nil {
			return visit(outbound.RevokedToken{Location: place})
		}
		return visit(r.revokedToken(place, at))
	})
}
