package storage

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/outbound"
)

// Backend is one opened storage system. Its ports may be used between Start and Close.
type Backend interface {
	Users() outbound.Users
	Sessions() outbound.Sessions
	Attempts() outbound.Attempts
	AuditTrail() outbound.AuditTrail
	Mails() outbound.Mails
	Archive() outbound.Archive
	UserIDs() outbound.UserIDs // counted ids, each greater than every id that was added before

	// Start connects and does what Options.Access allows: it creates the database, brings its schema up to
	// date, or neither. It refuses a schema that is newer than this program, and a database that is another
	// program's. It fails with ErrNoDatabase where it must not create one, and with ErrReadOnly where it
	// should be able to write and cannot.
	Start(ctx context.Context) error
	// Same reports whether other, which is open too, is the same database, whatever their URLs.
	Same(ctx context.Context, other Backend) (bool, error)
	// Ping fails with fault.Unavailable when the storage is down.
	Ping(ctx context.Context) error
	// Close waits for running operations and releases all resources.
	Close(ctx context.Context) error

	// About names the database system and its version, and the version of the schema.
	About(ctx context.Context) (string, error)
}

// Driver makes a Backend from a URL with the scheme Scheme. Open does no I/O; it fails on an invalid URL.
type Driver struct {
	Scheme    string
	Ephemeral bool // the database ends with the process that opened it
	// File returns the absolute path of the file that a URL names; nil if a database is not a file.
	File func(u *url.URL, dataDir string) string
	Open func(u *url.URL, o Options) (Backend, error)
}

// Access is the use of a database.
type Access int

// The kinds of access.
const (
	Create Access = iota // reads, writes, and creates the database if it does not exist
	Write                // reads and writes an existing database
	Read                 // reads an existing database with an up-to-date schema
)

var (
	// ErrNoDatabase means that the URL names no database, or an empty one.
	ErrNoDatabase = errors.New("there is no database")
	// ErrReadOnly means that this process cannot write to the database.
	ErrReadOnly = errors.New("the database can only be read")
	// ErrAway means that the server cannot be reached or is starting: the next try may succeed. It is
	// fault.Unavailable.
	ErrAway error = awayError{}
)

type awayError struct{}

func (awayError) Error() string { return "no answer from the database server" }
func (awayError) Unwrap() error { return fault.ErrUnavailable }

// TooOld is the error of opening a database for reading that needs a migration first.
func TooOld(place string, has, needed int64) error {
	return fmt.Errorf("%s has schema version %d and needs %d: run roster migrate first, since a command that reads changes nothing", place,
		has, needed)
}

// Options are the settings of a backend besides its URL.
type Options struct {
	DataDir string // the directory of an embedded database if its URL has none
	Access  Access
	// Load means that this process will store many users through the Archive. The backend may keep other processes
	// out while the database has no users.
	Load bool

	// Notice, unless nil, is called by Start with a message for the operator: that a database was created (the text begins
	// with "created"), that it is read in an unusual way, or that indexes or a migration will be built, which takes long in
	// a large database. Archive.BuildIndexes calls it too.
	Notice func(text string)

	// Retry, unless nil, is called by Start when it failed with ErrAway before any change. It waits, and
	// returns nil for another try, or the error to fail with.
	Retry func(ctx context.Context, err error) error

	// Observe, unless nil, is called after each command to the server, if the backend supports it, with the name of the
	// command, its duration, and whether it failed as a whole; never with its content or its result. Calls may be
	// concurrent.
	Observe func(command string, took time.Duration, failed bool)

	// Committed, unless nil, is called after each commit in which an embedded database stored writes of concurrent
	// callers, with their number.
	Committed func(writes int)
}

// Ended returns the error of ctx when it has ended, nil before. A context has ended once its deadline has passed, even if
// its timer is late: a driver sets the same deadline on its connection, which can fail first.
func Ended(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		<-ctx.Done() // at once
	}
	return ctx.Err()
}

// NotifyBuilding calls Notify before something is built.
func (o Options) NotifyBuilding(what string) {
	o.Notify("building " + what + ", which takes long on a large database")
}

// Reach calls connect until it does not fail with ErrAway, or Retry gives up.
func (o Options) Reach(ctx context.Context, connect func(context.Context) error) error {
	for {
		err := connect(ctx)
		if o.Retry == nil || !errors.Is(err, ErrAway) {
			return err
		}
		if err := o.Retry(ctx, err); err != nil {
			return err
		}
	}
}

// Notify calls Notice unless it is nil.
func (o Options) Notify(text string) {
	if o.Notice != nil && text != "" {
		o.Notice(text)
	}
}

// SortColumns are the columns, or fields, that users are sorted by.
var SortColumns = map[user.Sort]string{
	user.SortID: "id", user.SortEmail: "email", user.SortFirstName: "first_name", user.SortLastName: "last_name", user.SortJoined: "joined_us",
}

// SortValue returns the value of the column of by at p.
func SortValue(p user.Position, by user.Sort) any {
	switch by {
	case user.SortID:
		return p.ID.SortKey()
	case user.SortEmail:
		return p.Email
	case user.SortFirstName:
		return p.FirstName
	case user.SortLastName:
		return p.LastName
	case user.SortJoined:
		return p.Joined.UnixMicro()
	}
	return nil
}

// Unavailable wraps a driver's error: the storage is down, busy or full, and the caller may try again. The driver's text
// is for the log, never for a client.
func Unavailable(err error) error { return &unavailable{err} }

type unavailable struct{ cause error }

func (u *unavailable) Error() string   { return "storage: " + u.cause.Error() }
func (u *unavailable) Unwrap() []error { return []error{fault.ErrUnavailable, u.cause} }
