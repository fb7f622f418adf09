package django

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/ports/outbound"
)

// table is a table as far as it matters here.
type table struct {
	sql     string // its name as SQL spells it
	columns []string
	key     string // the column of the primary key, "" for none
}

// tables is a database whose tables can be listed.
type tables interface {
	tables(ctx context.Context) (map[string]table, error)
	count(ctx context.Context, t table) (int64, error)
}

// database is what the databases have in common.
type database struct {
	reader
	name    string // of the table of users
	table   table
	model   string
	revoked table // the blacklisted tokens; without a name when there is no blacklist
	in      tables
}

// column is what is read of each row under one name. Only that is read: what else a table has may be
// large, or of a type that nothing here can read.
type column struct{ name, sql string }

// quoted returns an SQL identifier, for both databases.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// at most so many bytes of a column are read; see column.tooLong. A token has some hundred.
const maxColumn = max(maxText, 8192)

// bounded is the column's value, or null where that is too long.
func (c column) bounded() string { return "CASE WHEN NOT " + c.tooLong() + " THEN " + c.sql + " END" }

// tooLong is a condition: whether the value is too long to be read.
func (c column) tooLong() string {
	return fmt.Sprintf("coalesce(octet_length(CAST(%s AS text)), 0) > %d", c.sql, maxColumn)
}

// anyTooLong is a condition: whether a value in the row is too long to be read.
func anyTooLong(columns []column) string {
	out := []string{"false"}
	for _, c := range columns {
		out = append(out, c.tooLong())
	}
	return strings.Join(out, " OR ")
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

// userColumns returns what is read of the table of users, which the query calls t: the key first.
func (d *database) userColumns() []column {
	names := []string{d.table.key}
	for _, m := range Members() {
		if f := d.o.field(m); slices.Contains(d.table.columns, f) && !slices.Contains(names, f) {
			names = append(names, f)
		}
	}
	out := make([]column, len(names))
	for i, name := range names {
		out[i] = column{name, "t." + quoted(name)}
	}
	return out
}

// inspect finds the table of users.
func inspect(ctx context.Context, o Options, in tables) (database, error) {
	d := database{reader: reader{o}, in: in}
	all, err := in.tables(ctx)
	if err != nil {
		return d, err
	}
	if d.name = o.Table; d.name == "" {
		if d.name, err = tableOf(o, all); err != nil {
			return d, err
		}
	}
	var there bool
	if d.table, there = all[d.name]; !there {
		return d, fmt.Errorf("there is no table %s", d.name)
	}
	if d.table.key == "" {
		if d.table.key = o.field(memberID); !slices.Contains(d.table.columns, d.table.key) {
			return d, fmt.Errorf("table %s has no primary key; name a column with --field id=COLUMN", d.name)
		}
	}
	for _, m := range []string{memberPassword, memberEmail} {
		if f := o.field(m); f != "" && !slices.Contains(d.table.columns, f) && (m != memberEmail || !slices.Contains(d.table.columns, o.field(memberUsername))) {
			return d, fmt.Errorf("table %s has no column %s; name it with --field %s=COLUMN", d.name, f, m)
		}
	}
	if d.model = strings.ToLower(o.UserModel); d.model == "" {
		d.model = modelOf(d.name)
	}
	if _, there := all[outstandingTable]; there {
		d.revoked = all[blacklistedTable]
	}
	return d, nil
}

// tableOf returns the table of the model that was named, as Django calls it by default, or the one
// whose columns are those of a user.
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

// modelOf undoes Django's naming of tables, so that a rejected row can be read again.
func modelOf(table string) string {
	if i := strings.LastIndexByte(table, '_'); i > 0 {
		return table[:i] + "." + table[i+1:]
	}
	return "table." + table
}

// Describe implements Source.
func (d *database) Describe() string { return "table " + d.name }

// Count implements outbound.UserSource.
func (d *database) Count(ctx context.Context) (users, tokens int64, err error) {
	if users, err = d.in.count(ctx, d.table); err != nil || d.revoked.sql == "" {
		return users, 0, err
	}
	tokens, err = d.in.count(ctx, d.revoked)
	return users, tokens, err
}

// row is the columns of a row as JSON.
type row map[string]jsontext.Value

// row makes a user of a row by making an object of a fixture of it, as which it can be read again.
func (d *database) row(r row, tooLong bool) outbound.SourceUser {
	key := r[d.table.key]
	place := d.name + " " + d.table.key + " " + string(key)
	if tooLong {
		id, _ := idOf(key)
		fault := outbound.RowFault{Kind: outbound.RowMalformed, Text: fmt.Sprintf("a column has more than %d bytes; the file of rejected rows is without the row", maxColumn)}
		return outbound.SourceUser{Location: place, ID: id, Fault: fault}
	}
	fields, err := json.Marshal(r, json.Deterministic(true), lenient)
	if err != nil {
		return outbound.SourceUser{Location: place, Fault: outbound.RowFault{Kind: outbound.RowMalformed, Text: "the row is no text"}}
	}
	x := object{Model: d.model, PK: key, Fields: fields}
	raw, err := json.Marshal(x, lenient)
	if err != nil {
		return outbound.SourceUser{Location: place, Fault: outbound.RowFault{Kind: outbound.RowMalformed, Text: "the row is no text"}}
	}
	return d.user(place, raw, x)
}

// revokedToken reads a row of blacklistColumns.
func (r row) revokedToken() outbound.RevokedToken {
	place := blacklistedTable + " id " + string(r["id"])
	t := outstanding{User: r["user"], JTI: r.text("jti"), Token: r.text("token"), Created: r.text("created_at"), Expires: r.text("expires_at")}
	at, err := parseTime(r.text("blacklisted_at"))
	if err != nil || t.times() != nil {
		return outbound.RevokedToken{Location: place}
	}
	return t.revoked(place, at)
}

func (r row) text(name string) string {
	v := r[name]
	if v.Kind() != '"' {
		return ""
	}
	text, _ := unquote(v) // half characters are none of a token's
	return text
}
