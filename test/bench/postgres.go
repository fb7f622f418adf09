package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

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
