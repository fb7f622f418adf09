package postgres

import (
	"errors"
	"net/url"

	"roster/adapters/storage"
)

// Driver opens postgres: URLs, and Alias the same spelt postgresql:. They are libpq's, with its options
// (sslmode, sslrootcert, several hosts, ...), pgxpool's (pool_max_conns, ...) and the server's own
// settings; what they leave out, libpq's environment variables and password file say. Of several hosts
// the one that can be written to is taken. Tables are made in the first schema of the search path. What
// lies between Roster and the server must keep sessions: a pooler that shares them between transactions
// loses the settings that make a commit last.
var (
	Driver = storage.Driver{Scheme: "postgres", Open: open}
	Alias  = storage.Driver{Scheme: "postgresql", Open: open}
)

func open(u *url.URL, o storage.Options) (storage.Backend, error) {
	switch {
	case u.Opaque != "":
		return nil, errors.New("postgres: write postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	case u.Fragment != "":
		return nil, errors.New("postgres: the URL has a fragment; write %23 for a #")
	}
	return newStore(u.String(), o)
}
