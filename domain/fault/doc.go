// Package fault defines the closed set of kinds of errors. It does not depend on a transport: an adapter maps each
// kind to its own form in one place.
package fault
