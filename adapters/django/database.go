package django

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/ports/outbound"
)

// table is a table as far as it matters here.
type table struct {
	columns []string
	key     string // the column of the primary key, "" for none
}

// tables is a database whose tables can be listed.
type tables interface {
	tables(ctx context.Context) (map[string]table, error)
	count(ctx context.Context, name string) (int64, error)
}

// database is what the databases have in common.
type database struct {
	reader
	name      string // of the table of users
	table     table
	model     string
	blacklist bool // there are the tables of the token blacklist
	in        tables
}

// The tables of rest_framework_simplejwt.token_blacklist, joined.
const (
	outstandingTable = "token_blacklist_outstandingtoken"
	blacklistedTable = "token_blacklist_blacklistedtoken"
	blacklistTables  = blacklistedTable + " b JOIN " + outstandingTable + " o ON o.id = b.token_id"
	blacklistColumns = `b.id, o.user_id AS "user", o.jti, o.token, o.created_at, o.expires_at, b.blacklisted_at`
)

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
	_, one := all[outstandingTable]
	_, other := all[blacklistedTable]
	d.blacklist = one && other
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
	if users, err = d.in.count(ctx, d.name); err != nil || !d.blacklist {
		return users, 0, err
	}
	tokens, err = d.in.count(ctx, blacklistedTable)
	return users, tokens, err
}

func (d *database) needBlacklist() error {
	if !d.blacklist {
		return errors.New("there is no token blacklist: rest_framework_simplejwt.token_blacklist is not installed there")
	}
	return nil
}

// row is the columns of a row as JSON.
type row map[string]jsontext.Value

// row makes a user of a row by making an object of a fixture of it, as which it can be read again.
func (d *database) row(key jsontext.Value, r row) outbound.SourceUser {
	place := d.name + " " + d.table.key + " " + string(key)
	fields, err := json.Marshal(r, json.Deterministic(true), lenient)
	if err != nil {
		return outbound.SourceUser{Place: place, Fault: "the row is no text"}
	}
	x := object{Model: d.model, PK: key, Fields: fields}
	raw, err := json.Marshal(x, lenient)
	if err != nil {
		return outbound.SourceUser{Place: place, Fault: "the row is no text"}
	}
	return d.user(place, raw, x)
}

// revokedToken reads a row of blacklistColumns.
func (r row) revokedToken() (outbound.RevokedToken, error) {
	place := blacklistedTable + " id " + string(r["id"])
	t := outstanding{User: r["user"], JTI: r.text("jti"), Token: r.text("token"), Created: r.text("created_at"), Expires: r.text("expires_at")}
	if err := t.times(); err != nil {
		return outbound.RevokedToken{}, fmt.Errorf("%s: %w", place, err)
	}
	at, err := parseTime(r.text("blacklisted_at"))
	if err != nil {
		return outbound.RevokedToken{}, fmt.Errorf("%s: %w", place, errToken)
	}
	return t.revoked(place, at), nil
}

func (r row) text(name string) string {
	v := r[name]
	if v.Kind() != '"' {
		return ""
	}
	text, _ := unquote(v) // half characters are none of a token's
	return text
}
