package sqlite

import (
	"context"
	"math"
	"slices"
	"strings"

	"roster/adapters/storage/sqlite/userlist"
	"roster/adapters/storage/sqltable"
	"roster/domain/audit"
	"roster/domain/user"
)

// dialect is the SQL of SQLite.
var dialect = sqltable.Dialect{
	Name:       "sqlite",
	Argument:   "?",
	OtherStaff: "SELECT EXISTS (SELECT 1 FROM users INDEXED BY users_kind_id WHERE active = 1 AND staff = 1 AND id <> ?1)",
	// The trigram index adds the rows of a statement together, so more rows in one statement cost less each; a
	// statement has 32,766 arguments at most. A Put is one transaction, because each transaction waits for the disk.
	RowsPerStatement: 250, RowsPerTransaction: math.MaxInt,
	InsertNew: insertNew, SelectAny: selectAny, DeleteFirst: deleteFirst,
}

// insertNew names the unique columns whose values may be taken: INSERT OR IGNORE, or a clause without a column,
// would also ignore other violations.
func insertNew(table string, columns []sqltable.Column, rows [][]any, unique ...string) (string, []any) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	query := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES " + row + strings.Repeat(", "+row, len(rows)-1)
	for _, column := range unique {
		query += " ON CONFLICT (" + column + ") DO NOTHING"
	}
	return query, slices.Concat(rows...)
}

func selectAny(table, column string, values []string) (string, []any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return "SELECT " + column + " FROM " + table + " WHERE " + column + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")", args
}

func deleteFirst(table, condition, order string) string {
	key := "rowid"
	if table == "attempts" { // WITHOUT ROWID
		key = "id"
	}
	return "DELETE FROM " + table + " WHERE " + key + " IN (SELECT " + key + " FROM " + table + " WHERE " + condition + " ORDER BY " +
		order + " LIMIT ?2)"
}

// ListUsers implements sqltable.DB.
func (s *Store) ListUsers(ctx context.Context, t *sqltable.UserTable, query user.Query) (found []*user.User, err error) {
	err = s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
		found, err = userlist.List(ctx, q, t, query)
		return translate(ctx, "list users", err)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// CountUsers implements sqltable.DB.
func (s *Store) CountUsers(ctx context.Context, t *sqltable.UserTable, f user.Filter) (n int, err error) {
	err = s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
		n, err = userlist.Count(ctx, q, t, f)
		return translate(ctx, "count users", err)
	})
	return n, err
}

// EventList implements sqltable.DB: one scan of an index, or one for each kind, merged. It reads only the events that
// it returns and one more of each kind requested. With both an actor and a user it reads the events of the actor
// until the page is full.
func (s *Store) EventList(t *sqltable.EventTable, q audit.Query) (string, []any) {
	l := dialect.ListByTime("at", q.Back)
	index := t.Name
	if q.Actor != "" {
		index += "_actor"
		l.And("actor <> ''") // the condition of the partial index
		l.And("actor = " + l.Bind(string(q.Actor)))
	}
	if q.User != "" {
		if q.Actor == "" {
			index += "_target"
			l.And("target <> ''")
		}
		l.And("target = " + l.Bind(string(q.User)))
	}
	after, before := q.Bounds()
	if after != nil {
		l.Newer(after.At, string(after.ID))
	}
	if before != nil {
		l.Older(before.At, string(before.ID))
	}
	var walks []string
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(q.Kinds))) {
		of := append(slices.Clip(l.Parts), "kind = "+l.Bind(string(kind)))
		walks = append(walks, t.Select+" INDEXED BY "+index+"_kind"+sqltable.AllOf(of))
	}
	if len(walks) == 0 {
		if index == t.Name {
			index += "_at"
		}
		walks = []string{t.Select + " INDEXED BY " + index + l.String()}
	}
	return strings.Join(walks, " UNION ALL ") + l.OrderAndLimit(q.Limit), l.Args
}
