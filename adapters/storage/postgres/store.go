package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"

	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
)

// Store is the backend.
type Store struct {
	config  *pgxpool.Config
	options storage.Options
	listing pgx.QueryExecMode // of statements that are worth a plan for their values
	pool    *pgxpool.Pool     // nil before Start
	readers *querier          // of pool
	gate    storage.Gate

	sqltable.Tables
}

var _ storage.Backend = (*Store)(nil)

// Connections are made within this time or not at all. Those that the URL does not bound are as many
// as several instances can have of a server's usual hundred.
const (
	connectTimeout = 4 * time.Second
	connections    = 20
)

// New returns a Store for the database at a postgres: URL. It does not connect. The error holds no
// secret of the URL.
func New(rawURL string) (*Store, error) { return newStore(rawURL, storage.Options{}) }

func newStore(rawURL string, o storage.Options) (*Store, error) {
	c, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		return nil, unreadable(rawURL)
	}
	s := &Store{config: c, options: o, listing: c.ConnConfig.DefaultQueryExecMode}
	s.Tables = sqltable.New(s, &dialect)
	if s.listing == pgx.QueryExecModeCacheStatement {
		// A plan kept for any values would suit neither the first page nor the last.
		s.listing = pgx.QueryExecModeCacheDescribe
	}
	_, query, _ := strings.Cut(rawURL, "?")
	options, _ := url.ParseQuery(query) // what cannot be read is none of those looked for
	if !options.Has("pool_max_conns") {
		c.MaxConns = connections
	}
	if !options.Has("target_session_attrs") && c.ConnConfig.ValidateConnect == nil {
		c.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite // a standby will not do
	}
	if t := &c.ConnConfig.ConnectTimeout; *t <= 0 || *t > connectTimeout {
		*t = connectTimeout
	}
	session := c.ConnConfig.RuntimeParams
	if session["synchronous_commit"] != "remote_apply" { // which is more
		session["synchronous_commit"] = "on" // a commit is on the disk before it is acknowledged
	}
	session["default_transaction_isolation"] = "read committed" // rows are locked to be changed
	session["statement_timeout"] = fmt.Sprint(operationTimeout.Milliseconds())
	session["idle_in_transaction_session_timeout"] = fmt.Sprint(2 * operationTimeout.Milliseconds()) // a lost instance's locks
	session["jit"] = "off"                                                                           // statements are short
	if session["application_name"] == "" {
		session["application_name"] = "roster"
	}
	// After a fail-over the connections to the former primary are of no use.
	c.ConnConfig.OnPgError = func(_ *pgconn.PgConn, e *pgconn.PgError) bool {
		return e.SeverityUnlocalized != "FATAL" && e.Severity != "FATAL" && e.Code != readOnlyTransaction
	}
	return s, nil
}

// unreadable says what is wrong with a URL, by way of the same one without what may be a secret.
func unreadable(rawURL string) error {
	hidden := errors.New("postgres: the URL is malformed, or names files that cannot be read")
	u, err := url.Parse(rawURL)
	if err != nil {
		return hidden
	}
	if u.User != nil {
		u.User = url.User("user")
	}
	options := u.Query()
	for _, name := range []string{"password", "sslpassword"} {
		options.Del(name)
	}
	u.RawQuery = options.Encode()
	if _, err := pgxpool.ParseConfig(u.String()); err != nil {
		_, reason, _ := strings.Cut(err.Error(), "`: ") // before it: the URL, with the wrong user
		return fmt.Errorf("postgres: the URL cannot be used: %s", reason)
	}
	return hidden
}

// Start implements storage.Backend. A Store whose Start failed has nothing open and cannot be
// started again.
func (s *Store) Start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := prepare(ctx, s.config.ConnConfig, s.options); err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), s.config)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	s.pool, s.readers = pool, &querier{pool, s.listing}
	s.gate.Open()
	return nil
}

// selectPlace is where the tables are: a server is known by when it was started, to the microsecond, and what is
// on it by its object ids.
const selectPlace = `SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), d.oid, to_regclass('` + mark + `')::oid)
	FROM pg_catalog.pg_database d WHERE d.datname = current_database()`

// Same implements storage.Backend. It asks the servers, since one has many names.
func (s *Store) Same(ctx context.Context, other storage.Backend) (bool, error) {
	o, ok := other.(*Store)
	if !ok {
		return false, nil
	}
	var places [2]string
	for i, one := range []*Store{s, o} {
		err := one.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
			return translate(ctx, "find the database", q.QueryRow(ctx, selectPlace).Scan(&places[i]))
		})
		if err != nil {
			return false, err
		}
	}
	return places[0] == places[1], nil
}

func (s *Store) About(ctx context.Context) (about string, err error) {
	err = s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
		var program string
		var schema int64
		err := q.QueryRow(ctx, "SELECT current_setting('server_version'), max(version_id) FROM "+goose.DefaultTablename).Scan(&program, &schema)
		about = fmt.Sprintf("PostgreSQL %s, database %s at %s, schema version %d", program, s.config.ConnConfig.Database,
			serverAt(s.config.ConnConfig), schema)
		return translate(ctx, "read the versions", err)
	})
	return about, err
}

func (s *Store) Ping(ctx context.Context) error {
	return s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
		var n int
		return translate(ctx, "ping", q.QueryRow(ctx, sqltable.SelectPing).Scan(&n))
	})
}

// Close implements storage.Backend. When ctx ends first, what is still under way loses its connection
// as soon as it gives it back.
func (s *Store) Close(ctx context.Context) error {
	err := s.gate.Shut(ctx)
	if s.pool == nil {
		return err
	}
	closed := make(chan struct{})
	go func() {
		s.pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
