// Package privatefile reads, writes and checks files that only the service may use: secrets, signing keys, databases,
// exports.
package privatefile
