// Package postgres is the backend on a PostgreSQL server, 13 or newer, shared by any number of
// instances on any number of machines.
package postgres
