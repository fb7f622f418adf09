// Package signingkeys keeps the keys that tokens are signed and verified with: in a file that operators
// change while instances follow it, or as the settings give them.
package signingkeys
