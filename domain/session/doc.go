// Package session holds the session aggregate: one sign-in and its family of refresh tokens, with the rules of
// rotation, reuse and revocation. It also defines the claims of tokens.
package session
