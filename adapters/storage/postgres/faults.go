package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"roster/adapters/storage"
	"roster/domain/session"
	"roster/domain/user"
)

// conflicts says which refusal of the domain each unique index stands for.
var conflicts = map[string]error{
	"users_id":        user.ErrIDTaken,
	"users_email_key": user.ErrEmailTaken,
	"sessions_id":     session.ErrExists,
}

// SQLSTATE codes; the first two characters are their class.
const (
	uniqueViolation      = "23505"
	readOnlyTransaction  = "25006" // the server has become a standby
	idleInTransaction    = "25P03"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
)

// patience is how long an operation may take, however long its caller would wait: a server that does
// not answer is away.
const patience = 5 * time.Second

var (
	errPatience = fmt.Errorf("no answer within %s", patience)
	errLost     = errors.New("connection lost")
	errUnsure   = errors.New("connection lost while committing")

	// errOvertaken says that somebody else has stored just now what was not there to be changed.
	errOvertaken = storage.Unavailable(errors.New("overtaken by another"))
)

// translate gives err, which the driver returned from op under ctx, the meaning that the ports
// promise. It goes by codes and types, never by text.
func translate(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if end := storage.Ended(ctx); end != nil {
		// The driver reports an interrupt in several ways; what counts is that the time is over.
		if errors.Is(context.Cause(ctx), errPatience) {
			return outage(op, errPatience, err)
		}
		return fmt.Errorf("postgres: %s: %w", op, end)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return outage(op, errors.New("no connection"), err)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if refusal := conflicts[e.ConstraintName]; e.Code == uniqueViolation && refusal != nil {
			return fmt.Errorf("postgres: %s: %w", op, refusal)
		}
		switch {
		case e.Code == adminShutdown, e.Code == crashShutdown:
			return outage(op, errLost, err)
		case passing(e.Code):
			return storage.Unavailable(fmt.Errorf("postgres: %s: %w", op, err))
		}
		return fmt.Errorf("postgres: %s: %w", op, err)
	}
	if isLost(err) {
		return outage(op, errLost, err)
	}
	return fmt.Errorf("postgres: %s: %w", op, err)
}

// outage tells what happened without the driver's error in its tree: a time-out on the way to the
// server is not the end of the caller's context.
func outage(op string, what, err error) error {
	return storage.Unavailable(fmt.Errorf("postgres: %s: %w: %s", op, what, err.Error()))
}

// passing reports whether a code tells of the server's state and not of the statement.
func passing(code string) bool {
	switch code {
	case readOnlyTransaction, idleInTransaction, serializationFailure, deadlockDetected, lockNotAvailable:
		return true
	}
	switch code[:min(2, len(code))] {
	case "08", // connection
		"53", // resources: disk, memory, connections
		"57", // somebody intervened: shutdown, start-up, statement_timeout
		"58": // the system under the server
		return true
	}
	return false
}

// isLost reports whether err tells that a connection, once made, is of no more use.
func isLost(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed) || pgconn.SafeToRetry(err)
}

// again reports whether what failed with err, translated, left nothing behind and may go better the
// next time.
func again(err error) bool {
	if errors.Is(err, errLost) || errors.Is(err, errOvertaken) {
		return true
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == serializationFailure || e.Code == deadlockDetected)
}
