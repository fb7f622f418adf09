package sqltable

import (
	"context"

	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

type (
	// UserTable keeps users.
	UserTable = Table[user.User, user.Snapshot]
	// SessionTable keeps sessions.
	SessionTable = Table[session.Session, session.Snapshot]
	// AttemptTable keeps failed sign-ins.
	AttemptTable = Table[lockout.Record, lockout.Snapshot]
	// EventTable keeps audit events.
	EventTable = Table[audit.Event, audit.Event]
	// MailTable keeps the queue of mails.
	MailTable = Table[mail.Mail, mail.Snapshot]
)

// Tables implements the storage ports with five tables and a counter.
type Tables struct {
	UserTable    *UserTable
	SessionTable *SessionTable
	AttemptTable *AttemptTable
	EventTable   *EventTable
	MailTable    *MailTable

	db DB
	d  *Dialect
	Fixed
}

// Fixed are the statements that concern more than the rows of one table by id.
type Fixed struct {
	// SelectWithSession selects the user with the id in argument 1 and the session with the id in argument 2.
	SelectWithSession string

	SelectCounter    string // the highest counted id
	CountUp          string // takes the next id; affects no row when all are used up
	RaiseCounter     string // to argument 1, if it is lower
	DeleteSessionsOf string
	DeleteAttemptsOf string
	SweepSessions    string
	SweepAttempts    string
	SweepEvents      string
	SweepMails       string
	SelectInvited    string // after the id in argument 1, at most as many as argument 2
	SelectDue        string // mails that are due at argument 1, at most as many as argument 2
	SelectBegun      string // mails to the key in argument 1, sent since argument 2 or begun, at most as many as argument 3
}

// SelectPing reads one row.
const SelectPing = "SELECT count(*) FROM counters WHERE name = 'user_id'"

// New returns the tables of a database.
func New(db DB, d *Dialect) Tables {
	first, second := d.argument(1), d.argument(2)
	users, sessions, mails := newTable(db, d, userTable), newTable(db, d, sessionTable), newTable(db, d, mailTable)
	return Tables{
		UserTable:    users,
		SessionTable: sessions,
		AttemptTable: newTable(db, d, attemptTable),
		EventTable:   newTable(db, d, eventTable),
		MailTable:    mails,
		db:           db, d: d,
		Fixed: Fixed{
			SelectWithSession: "SELECT " + users.qualified("u") + ", " + sessions.qualified("s") +
				" FROM users u, sessions s WHERE u.id = " + first + " AND s.id = " + second,
			SelectCounter:    "SELECT value FROM counters WHERE name = 'user_id'",
			CountUp:          "UPDATE counters SET value = value + 1 WHERE name = 'user_id' AND value < 9223372036854775807 RETURNING value",
			RaiseCounter:     "UPDATE counters SET value = " + first + " WHERE name = 'user_id' AND value < " + first,
			DeleteSessionsOf: "DELETE FROM sessions WHERE owner = " + first,
			DeleteAttemptsOf: "DELETE FROM attempts WHERE id >= " + first + " AND id < " + second,
			SweepSessions:    d.DeleteFirst("sessions", "expires <= "+first, "expires"),
			SweepAttempts:    d.DeleteFirst("attempts", "expires <= "+first, "expires"),
			SweepEvents:      d.DeleteFirst("audit_events", "at < "+first, "at, id"),
			SweepMails:       d.DeleteFirst("mails", "state = "+d.argument(3)+" AND finished < "+first, "finished"),
			SelectInvited: users.Select + " WHERE email_state = 'invitation' AND id > " + first +
				" ORDER BY id LIMIT " + second,
			SelectDue: mails.Select + " WHERE due <= " + first + " ORDER BY due, id LIMIT " + second,
			// The second condition is that of the partial index.
			SelectBegun: mails.Select + " WHERE email_key = " + first + " AND (state = 'sent' OR state = 'waiting' AND attempts > 0)" +
				" AND (state = 'waiting' OR finished >= " + second + ") ORDER BY id DESC LIMIT " + d.argument(3),
		},
	}
}

// failure translates an error of a statement that cannot violate a unique index.
func (t *Tables) failure(ctx context.Context, op string, err error) error {
	return t.db.Failure(ctx, op, err, Conflicts{})
}

// Users returns the port.
func (t *Tables) Users() outbound.Users { return users{t} }

// Sessions returns the port.
func (t *Tables) Sessions() outbound.Sessions { return sessions{t} }

// Attempts returns the port.
func (t *Tables) Attempts() outbound.Attempts { return attempts{t} }

// AuditTrail returns the port.
func (t *Tables) AuditTrail() outbound.AuditTrail { return auditTrail{t} }

// Archive returns the port.
func (t *Tables) Archive() outbound.Archive { return archive{t} }

// Mails returns the port.
func (t *Tables) Mails() outbound.Mails { return mails{t} }

// UserIDs returns the port.
func (t *Tables) UserIDs() outbound.UserIDs { return userIDs{t} }
