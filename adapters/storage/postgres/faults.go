package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
)

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

// operationTimeout bounds an operation, also when its caller allows more time: a server that does not answer is away.
const operationTimeout = 5 * time.Second

var (
	errTimeout = fmt.Errorf("no answer within %s", operationTimeout)
	errLost    = errors.New("connection lost")
	errUnsure  = errors.New("connection lost while committing")
)

// Failure implements sqltable.DB. It goes by codes, types and names of constraints, never by text.
func (s *Store) Failure(ctx context.Context, op string, err error, c sqltable.Conflicts) error {
	return failure(ctx, op, err, c)
}

// translate is Failure for what breaks no rule of a table.
func translate(ctx context.Context, op string, err error) error {
	return failure(ctx, op, err, sqltable.Conflicts{})
}

func failure(ctx context.Context, op string, err error, c sqltable.Conflicts) error {
	if err == nil {
		return nil
	}
	if end := storage.Ended(ctx); end != nil {
		// The driver reports an interrupt in several ways; what counts is that the time is over.
		if errors.Is(context.Cause(ctx), errTimeout) {
			return outage(op, errTimeout, err)
		}
		return fmt.Errorf("postgres: %s: %w", op, end)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return outage(op, errors.New("no connection"), err)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if refusal := broken(e, c); refusal != nil {
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

// broken returns the refusal that a unique index stands for, or nil.
func broken(e *pgconn.PgError, c sqltable.Conflicts) error {
	switch {
	case e.Code != uniqueViolation:
		return nil
	case e.ConstraintName == e.TableName+"_id":
		return c.ID
	case strings.HasSuffix(e.ConstraintName, "_key"):
		return c.Unique
	}
	return nil
}

// outage says what happened without the driver's error in its tree: a time-out on the way to the
// server is not the end of the caller's context.
func outage(op string, what, err error) error {
	return storage.Unavailable(fmt.Errorf("postgres: %s: %w: %s", op, what, err.Error()))
}

// passing reports whether a code is about the state of the server and not about the statement.
func passing(code string) bool {
	switch code {
	case readOnlyTransaction, idleInTransaction, serializationFailure, deadlockDetected, lockNotAvailable:
		return true
	}
	switch code[:min(2, len(code))] {
	case "08", // connection
		"53", // resources: disk, memory, connections
		"57", // intervention: shutdown, start-up, statement_timeout
		"58": // the system under the server
		return true
	}
	return false
}

// isLost reports whether err means that a connection, once made, is of no more use.
func isLost(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed) || pgconn.SafeToRetry(err)
}

// again reports whether what failed with err, translated, left nothing behind and may go better the
// next time.
func again(err error) bool {
	if errors.Is(err, errLost) || errors.Is(err, sqltable.ErrOvertaken) {
		return true
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == serializationFailure || e.Code == deadlockDetected)
}
