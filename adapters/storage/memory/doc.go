// Package memory stores everything in the memory of the process; for tests and demos.
package memory
