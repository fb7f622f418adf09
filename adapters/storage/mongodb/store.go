package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"roster/adapters/storage"
	"roster/ports/outbound"
)

// Options are the settings of a Store besides its URL.
type Options struct {
	// Monitor observes every command. It must not store the content of commands.
	Monitor *event.CommandMonitor

	storage.Options
}

// Limits of time: to find a server, to make a connection, and for one command with both of these and the acknowledgement
// by other members. Options of the URL replace the first two. Building an index has the caller's limit only.
const (
	selection  = 3 * time.Second
	dialing    = 3 * time.Second
	oneCommand = 5 * time.Second
)

// Store implements storage.Backend.
type Store struct {
	place   place
	options Options
	client  *mongo.Client // nil before Start
	db      *mongo.Database

	// Known after Start.
	sharded    bool         // emails are claimed
	replicated bool         // there are members to wait for, or shards of such
	reads      *readConcern // the URL's

	counted atomic.Int64 // an integer id that was assigned

	published published
}

var _ storage.Backend = (*Store)(nil)

// New returns a Store for the database that a mongodb: or mongodb+srv: URL names. It does no I/O.
func New(u *url.URL, o Options) (*Store, error) {
	p, err := placeOf(u)
	if err != nil {
		return nil, err
	}
	s := &Store{place: p, options: o}
	if u.Scheme == scheme { // reading the other kind asks the DNS
		if err := s.clientOptions().Validate(); err != nil {
			return nil, fmt.Errorf("mongodb: %w", p.redacted(err))
		}
	}
	return s, nil
}

// clientOptions returns our defaults, the options of the URL, and then what the URL cannot change: a write that was
// acknowledged is on a majority of the members, and reads see it, since they go to the primary.
//
// Reads do not use read concern majority. A change that begins with a read ends with a write that a majority
// acknowledges, also when it finds nothing to change (settle, table.confirm). So what a read sees and a failover undoes
// is a write that was not acknowledged.
func (s *Store) clientOptions() *options.ClientOptions {
	return options.Client().
		SetAppName("roster").
		SetConnectTimeout(dialing).
		SetServerSelectionTimeout(selection).
		SetTimeout(oneCommand).
		ApplyURI(s.place.uri).
		SetReadPreference(readpref.Primary()).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: new(true)}).
		SetRetryReads(true).
		SetRetryWrites(true).
		SetMonitor(s.options.Monitor)
}

func (s *Store) Users() outbound.Users           { return users{s} }
func (s *Store) Sessions() outbound.Sessions     { return sessions{s} }
func (s *Store) Attempts() outbound.Attempts     { return failedAttempts{s} }
func (s *Store) AuditTrail() outbound.AuditTrail { return auditTrail{s} }
func (s *Store) Archive() outbound.Archive       { return archive{s} }
func (s *Store) Mails() outbound.Mails           { return mails{s} }
func (s *Store) UserIDs() outbound.UserIDs       { return userIDs{s} }

// Start connects, and prepares the database as Options.Access says. A Store whose Start failed holds nothing open and cannot be
// started again.
func (s *Store) Start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := s.clientOptions()
	client, err := mongo.Connect(o)
	if err != nil {
		return fmt.Errorf("mongodb: %w", s.place.redacted(err))
	}
	s.client, s.db, s.reads = client, client.Database(s.place.name), concern(o.ReadConcern)
	s.published.gate.Open()
	if err := s.prepare(ctx); err != nil {
		return errors.Join(err, s.Close(context.WithoutCancel(ctx)))
	}
	return nil
}

func (s *Store) prepare(ctx context.Context) error {
	if err := s.options.Reach(ctx, func(ctx context.Context) error { return s.unreached(ctx, s.Ping(ctx)) }); err != nil {
		return err
	}
	if err := s.greet(ctx); err != nil {
		return err
	}
	version, err := s.claim(ctx)
	if err != nil {
		return err
	}
	if s.options.Access == storage.Read {
		if version < schemaVersion {
			return fmt.Errorf("mongodb: %w", storage.TooOld(fmt.Sprintf("database %q", s.place.name), version, schemaVersion))
		}
		return nil
	}
	if version < schemaVersion {
		if err := s.dropFormer(ctx); err != nil { // the server refuses two indexes of the same fields
			return err
		}
	}
	if err := s.index(ctx); err != nil {
		return err
	}
	if err := s.publishAllLeft(ctx); err != nil { // before the upgrade, which replaces documents
		return err
	}
	return s.upgrade(ctx, version)
}

func (s *Store) About(ctx context.Context) (about string, err error) {
	err = s.within(ctx, "read the versions", func(ctx context.Context) error {
		var server struct{ Version string }
		err := s.db.RunCommand(ctx, is("buildInfo", 1)).Decode(&server)
		about = fmt.Sprintf("MongoDB %s, database %s, schema version %d", server.Version, s.place.name, schemaVersion)
		return err
	})
	return about, err
}

// Same asks the servers, since one has many names: collections have a UUID.
func (s *Store) Same(ctx context.Context, other storage.Backend) (bool, error) {
	o, ok := other.(*Store)
	if !ok {
		return false, nil
	}
	var ids [2]string
	for i, one := range []*Store{s, o} {
		err := one.within(ctx, "find the database", func(ctx context.Context) error {
			found, err := one.db.ListCollectionSpecifications(ctx, is("name", markerCollection))
			for _, c := range found {
				if c.UUID != nil {
					ids[i] = string(c.UUID.Data)
				}
			}
			return err
		})
		if err != nil {
			return false, err
		}
	}
	return ids[0] == ids[1] && ids[0] != "", nil
}

func (s *Store) Ping(ctx context.Context) error {
	return s.within(ctx, "ping", func(ctx context.Context) error { return s.client.Ping(ctx, readpref.Primary()) })
}

// Close closes all connections, after the removal of published effects from their documents. When ctx ends first, commands
// that are still running fail.
func (s *Store) Close(ctx context.Context) error {
	if s.client == nil {
		return nil
	}
	_ = s.published.gate.Shut(ctx)
	if err := s.client.Disconnect(ctx); err != nil && !errors.Is(err, mongo.ErrClientDisconnected) { // by an earlier call
		return fmt.Errorf("mongodb: close: %w", err)
	}
	return nil
}

// awaited reports whether the writes to a collection wait for a majority of the members. The last failed
// sign-ins may be lost with a primary.
func awaited(collection string) bool { return collection != attemptTable.name }

func (s *Store) collection(name string) *mongo.Collection {
	if !awaited(name) {
		return s.db.Collection(name, options.Collection().SetWriteConcern(writeconcern.W1()))
	}
	return s.db.Collection(name)
}

var (
	errNotOpen = errors.New("mongodb: not open")
	errSlow    = errors.New("mongodb: no answer in time")
)

// within runs one command under a context that ends with ctx or oneCommand later, and gives the
// driver's error the meaning that the ports promise.
func (s *Store) within(ctx context.Context, op string, command func(context.Context) error) error {
	return s.run(ctx, oneCommand, op, command)
}

// unhurried is within for what takes as long as there are documents: it ends with ctx alone.
func (s *Store) unhurried(ctx context.Context, op string, command func(context.Context) error) error {
	// Without any limit the driver would put one, of its own or of the URL.
	const never = 365 * 24 * time.Hour
	return s.run(ctx, never, op, command)
}

func (s *Store) run(ctx context.Context, limit time.Duration, op string, command func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mongodb: %s: %w", op, err)
	}
	if s.client == nil {
		return storage.Unavailable(errNotOpen)
	}
	limited, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	return translate(limited, op, command(limited))
}
