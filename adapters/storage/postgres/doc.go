// Package postgres is the backend on a PostgreSQL server, 13 or newer, shared by any number of
// instances on any number of machines.
//
// Where the extension pg_trgm may be made, or is there, searching is served by an index; elsewhere the
// same search is answered without one, and costs more the more users there are.
package postgres
