package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"roster/adapters/storage"
)

// SQLSTATE codes of a server that is reached and refuses.
const (
	invalidAuthorization  = "28000"
	invalidPassword       = "28P01"
	noSuchDatabase        = "3D000"
	insufficientPrivilege = "42501"
)

// unreached says of a failure to connect what the operator can do about it; storage.ErrAway is one that may pass.
func unreached(ctx context.Context, c *pgx.ConnConfig, err error) error {
	if err == nil || storage.Ended(ctx) != nil {
		return translate(ctx, "connect", err)
	}
	role, database := quoted(c.User), quoted(c.Database)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case e.Code == invalidPassword, e.Code == invalidAuthorization:
			return fmt.Errorf("give the user and the password that the server at %s knows, or make them there: CREATE ROLE %s LOGIN "+
				"PASSWORD '...'; postgres: %w", serverAt(c), role, e)
		case e.Code == noSuchDatabase:
			return fmt.Errorf("the server at %s has no such database; make it there: CREATE DATABASE %s OWNER %s; postgres: %w", serverAt(c),
				database, role, e)
		case e.Code == insufficientPrivilege:
			return fmt.Errorf("let the role connect: GRANT CONNECT ON DATABASE %s TO %s; postgres: %w", database, role, e)
		case passing(e.Code):
			return away(c, e.Error())
		}
		return fmt.Errorf("postgres: connect to %s: %w", serverAt(c), e)
	}
	if temporary(err) {
		return away(c, causes(err))
	}
	return storage.Unavailable(fmt.Errorf("postgres: connect to %s: %s", serverAt(c), causes(err)))
}

func away(c *pgx.ConnConfig, cause string) error {
	return fmt.Errorf("%w at %s: start it, or correct host and port: postgres: %s", storage.ErrAway, serverAt(c), cause)
}

// temporary reports whether err is of the network, and not of the protocol or TLS above it.
func temporary(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" { // an alert of TLS
		return false
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// causes returns what failed at the bottom of err, each once: the driver tries every address with and without TLS, and
// repeats itself.
func causes(err error) string {
	var out []string
	var walk func(error)
	walk = func(err error) {
		_, operation := err.(*net.OpError) //nolint:errorlint // this one, not one below it
		switch e := err.(type) {           //nolint:errorlint // likewise
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				walk(one)
			}
			return
		case interface{ Unwrap() error }:
			if below := e.Unwrap(); below != nil && !operation {
				walk(below)
				return
			}
		}
		if text := err.Error(); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	walk(err)
	return strings.Join(out, "; ")
}

// allowed says of a right that the role lacks how to give it.
func allowed(c *pgx.ConnConfig, err error) error {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == insufficientPrivilege {
		return fmt.Errorf("make the role the owner of the database, ALTER DATABASE %[1]s OWNER TO %[2]s; or in that database let it "+
			"make tables, GRANT USAGE, CREATE ON SCHEMA public TO %[2]s; "+
			"tables of another role it must own: %[3]w", quoted(c.Database), quoted(c.User), err)
	}
	return err
}

func serverAt(c *pgx.ConnConfig) string {
	if strings.HasPrefix(c.Host, "/") {
		return c.Host
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
