package postgres

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"roster/adapters/storage/sqltable"
	"roster/domain/audit"
	"roster/domain/user"
)

// dialect is the SQL of PostgreSQL.
var dialect = sqltable.Dialect{
	Name:       "postgres",
	Argument:   "$",
	ForUpdate:  " FOR UPDATE",
	Storable:   storable,
	Sanitize:   sanitize,
	OtherStaff: "SELECT EXISTS (SELECT 1 FROM users WHERE active AND staff AND id <> $1)",
	// Few enough for the store's timeout.
	RowsPerStatement: 500, RowsPerTransaction: 500,
	InsertNew: insertNew, SelectAny: selectAny, DeleteFirst: deleteFirst,
}

// storable reports whether the server can store s: it refuses NUL and invalid UTF-8.
func storable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// sanitize replaces the characters that the server cannot store.
func sanitize(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// insertNew takes each column as an array, so that the statement is the same for any number of rows. The driver knows the
// types of the arrays without a query. It waits for a concurrent transaction that adds one of the rows.
func insertNew(table string, columns []sqltable.Column, rows [][]any, _ ...string) (string, []any) {
	names, arrays, args := make([]string, len(columns)), make([]string, len(columns)), make([]any, len(columns))
	for i, c := range columns {
		names[i] = c.Name
		var kind string
		switch c.Type {
		case sqltable.Boolean:
			kind, args[i] = "boolean", column(rows, i, func(v any) bool { b, _ := v.(bool); return b })
		case sqltable.Bigint:
			kind, args[i] = "bigint", column(rows, i, func(v any) *int64 {
				if n, ok := v.(int64); ok {
					return &n
				}
				return nil
			})
		case sqltable.Text:
			kind, args[i] = "text", column(rows, i, func(v any) string { s, _ := v.(string); return s })
		}
		arrays[i] = "$" + strconv.Itoa(i+1) + "::" + kind + "[]"
	}
	all := strings.Join(names, ", ")
	return "INSERT INTO " + table + " (" + all + ") SELECT " + all + " FROM unnest(" + strings.Join(arrays, ", ") +
		") WITH ORDINALITY AS given (" + all + ", nth) ORDER BY nth ON CONFLICT DO NOTHING", args
}

func column[V any](rows [][]any, i int, value func(any) V) []V {
	out := make([]V, len(rows))
	for j, row := range rows {
		out[j] = value(row[i])
	}
	return out
}

func selectAny(table, column string, values []string) (string, []any) {
	return "SELECT " + column + " FROM " + table + " WHERE " + column + " = ANY($1::text[])", []any{values}
}

// deleteFirst skips rows that another instance is deleting or changing. The array makes the server look each id up.
func deleteFirst(table, condition, order string) string {
	return "DELETE FROM " + table + " WHERE id = ANY(ARRAY(SELECT id FROM " + table + " WHERE " + condition +
		" ORDER BY " + order + " LIMIT $2 FOR UPDATE SKIP LOCKED))"
}

// EventList implements sqltable.DB: one scan of an index, or one for each kind, merged. It reads only the events that
// it returns and one more of each kind requested. With both an actor and a user it reads the events of one of them
// until the page is full.
func (s *Store) EventList(t *sqltable.EventTable, q audit.Query) (string, []any) {
	l := dialect.ListByTime("at", q.Back)
	for _, c := range []struct {
		column string
		id     user.ID
	}{{"actor", q.Actor}, {"target", q.User}} {
		if c.id != "" {
			l.And(c.column + " <> ''") // the condition of the partial indexes
			l.And(c.column + " = " + l.Bind(string(c.id)))
		}
	}
	after, before := q.Bounds()
	if after != nil {
		l.Newer(after.At, string(after.ID))
	}
	if before != nil {
		l.Older(before.At, string(before.ID))
	}
	kinds := slices.Compact(slices.Sorted(slices.Values(q.Kinds)))
	if len(kinds) == 1 {
		l.And("kind = " + l.Bind(string(kinds[0])))
	}
	end := l.OrderAndLimit(q.Limit)
	if len(kinds) < 2 {
		return t.Select + l.String() + end, l.Args
	}
	var walks []string
	for _, kind := range kinds {
		of := append(slices.Clip(l.Parts), "kind = "+l.Bind(string(kind)))
		// Without a limit of its own, all events of a common kind would be read and sorted.
		walks = append(walks, "("+t.Select+sqltable.AllOf(of)+end+")")
	}
	return strings.Join(walks, " UNION ALL ") + end, l.Args
}
