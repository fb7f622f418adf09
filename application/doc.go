// Package application implements the use cases. A use case parses its input into domain values, checks that the
// actor may do what it asks for, and calls the outbound ports in order. The package does not depend on any
// technology.
package application
