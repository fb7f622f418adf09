// Package storage defines what every storage backend offers to the wiring.
package storage

import (
	"context"
	"net/url"
	"time"

	"roster/domain/fault"
	"roster/ports/outbound"
)

// Backend is one opened storage system. Its ports may be used between Start and Close.
type Backend interface {
	Users() outbound.Users
	Sessions() outbound.Sessions
	Attempts() outbound.Attempts
	AuditTrail() outbound.AuditTrail
	Archive() outbound.Archive
	UserIDs() outbound.UserIDs // counted ids; counting goes on above every id ever added

	// Start connects and brings the schema up to date. It refuses a schema that is newer than this
	// program, and a database that is another program's.
	Start(ctx context.Context) error
	// Ping fails with fault.Unavailable when the storage is away.
	Ping(ctx context.Context) error
	// Close waits for what is under way and lets go of all resources.
	Close(ctx context.Context) error
}

// Driver makes a Backend from a URL whose scheme is Scheme. Open does no I/O; it fails on a URL that
// the backend cannot understand.
type Driver struct {
	Scheme    string
	Ephemeral bool // nothing outlives the process that opened it
	Open      func(u *url.URL, o Options) (Backend, error)
}

// Options is what all backends are told besides their URL.
type Options struct {
	DataDir string // where an embedded database lies unless the URL says otherwise

	// Observe, unless nil, is called after each command that a backend which can tell sent to its
	// server: by what name, how long it took, and whether it failed as a whole. Never what it held,
	// nor what came back. It may be called by several goroutines at a time.
	Observe func(command string, took time.Duration, failed bool)

	// Building, unless nil, is called by Start before it makes what takes long on a large database, with
	// what that is: indexes, or the schema of a newer version.
	Building func(what string)
}

// Ended returns the error of ctx when it has ended, nil before. A deadline that has passed is the end,
// although the timer of ctx may be late: a driver has the same deadline on its connection, which can fail
// first.
func Ended(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		<-ctx.Done() // at once
	}
	return ctx.Err()
}

// Unavailable wraps a driver's error: the storage is away, busy or full, and the caller may try again.
// The driver's text goes to the log, never to a caller.
func Unavailable(err error) error { return &unavailable{err} }

type unavailable struct{ cause error }

func (u *unavailable) Error() string   { return "storage: " + u.cause.Error() }
func (u *unavailable) Unwrap() []error { return []error{fault.ErrUnavailable, u.cause} }
