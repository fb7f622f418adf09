// Package memory keeps everything in the process and forgets it at the end; for tests and demos.
package memory
