package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"roster/test/support/testenv"
)

// host lets testenv start a server outside of a test. What would fail or skip a test ends the goroutine with an error.
type host struct {
	testing.TB
	fault    error
	cleanups []func()
}

func (h *host) Helper()          {}
func (h *host) Cleanup(f func()) { h.cleanups = append(h.cleanups, f) }
func (h *host) TempDir() string  { panic("not needed") }

func (h *host) Fatal(args ...any)                 { h.fail(errors.New(fmt.Sprint(args...))) }
func (h *host) Fatalf(format string, args ...any) { h.fail(fmt.Errorf(format, args...)) }
func (h *host) Skip(args ...any)                  { h.fail(errors.New(fmt.Sprint(args...))) }

func (h *host) fail(err error) {
	h.fault = err
	panic(err)
}

// privatePostgres is a PostgreSQL server for one run.
type privatePostgres struct {
	url string
	end func()
}

// startPostgres starts a server as the tests do, but makes it write durably, as SQLite does here.
func startPostgres() (server privatePostgres, err error) {
	h := &host{}
	server.end = func() {
		for _, f := range h.cleanups {
			f()
		}
	}
	defer func() {
		if failure := recover(); failure != nil && h.fault == nil {
			panic(failure)
		}
		err = errors.Join(err, h.fault)
	}()
	server.url = testenv.NewPostgresServer(h).URL
	ctx := context.Background()
	c, err := pgx.Connect(ctx, server.url)
	if err != nil {
		return server, err
	}
	defer c.Close(ctx)
	for _, statement := range []string{"ALTER SYSTEM SET fsync = on", "ALTER SYSTEM SET full_page_writes = on", "SELECT pg_reload_conf()"} {
		if _, err := c.Exec(ctx, statement); err != nil {
			return server, err
		}
	}
	return server, nil
}

// undefinedTable is the SQLSTATE of a query of a table that there is not.
const undefinedTable = "42P01"

// seededUsers reports which of some seeded users are in a database; none when it is empty.
func seededUsers(database string, numbers ...int) ([]bool, error) {
	ctx := context.Background()
	has := make([]bool, len(numbers))
	c, err := pgx.Connect(ctx, database)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	for i, n := range numbers {
		err := c.QueryRow(ctx, "SELECT count(*) = 1 FROM users WHERE id = $1", seeded(n).ID).Scan(&has[i])
		if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == undefinedTable {
			return has, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return has, nil
}
