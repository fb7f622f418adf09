// Package lockout limits the guessing of passwords. It counts failed sign-ins per account and network, per account
// over all networks new to it, and per client network. All three use the same leaky bucket with different
// parameters: failures are forgiven at a constant rate, and when too many remain the next attempt must wait
// (NIST SP 800-63B-4, 3.2.2; OWASP ASVS 6.3.1).
package lockout
