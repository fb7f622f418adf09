// Package privatefile holds the rule for files that only the service may use: secrets, signing keys,
// databases, exports. Adapters and bootstrap/config share it.
package privatefile
