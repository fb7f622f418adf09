// Package credential holds passwords, the policy for new passwords, and their stored form.
package credential
