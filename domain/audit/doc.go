// Package audit defines the events of the audit trail: which security-relevant action was done, by which user, to
// which user, when and from where. Events are immutable values.
package audit
