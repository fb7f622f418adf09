// Package jwt signs and verifies the tokens: JSON Web Tokens (RFC 7519) signed by RFC 7515, in one of two shapes.
// golang-jwt signs, verifies and validates; this package reads the tokens, more strictly than golang-jwt (RFC 8725), and
// chooses the keys.
package jwt
