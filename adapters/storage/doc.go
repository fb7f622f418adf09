// Package storage defines what every storage backend offers to the wiring.
package storage
