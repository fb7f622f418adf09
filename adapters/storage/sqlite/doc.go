// Package sqlite is the embedded backend: one database file, shared by any number of processes of one
// machine.
package sqlite
