// Package sqltable keeps users, sessions, failed sign-ins and audit events in SQL tables, for every backend that
// speaks SQL. Each field of an aggregate is stated once, in users.go, sessions.go, attempts.go and events.go.
// A backend implements DB: connections, transactions, the meaning of errors, and the lists that each
// database plans in its own way.
package sqltable
