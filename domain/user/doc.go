// Package user holds the user aggregate: identity, names, flags, credential, and the time and epoch from which
// sessions are valid.
package user
