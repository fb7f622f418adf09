// Package credential holds what proves an identity: passwords, the policy that a new one must meet, and their
// stored form.
package credential
