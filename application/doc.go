// Package application holds the use cases. A use case turns input into domain values, decides whether the actor may
// do what it asks for, and calls the outbound ports in the right order. The package knows no technology.
package application
