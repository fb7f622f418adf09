package user

import "roster/domain/fault"

// Errors about users. The messages of Django and DRF are part of the API: clients match on them.
var (
	ErrNotFound   = fault.New(fault.NotFound, "not_found", "Not found.")
	ErrStale      = fault.New(fault.Stale, "stale", "The user has changed since the version named in If-Match.")
	ErrNoVersion  = fault.New(fault.Stale, "unknown_etag", `If-Match names no ETag of a user, such as "7" with its quotes.`)
	ErrEmailTaken = fault.New(fault.Invalid, "unique", "user with this email address already exists.").
			With(fault.Field{Name: "email", Code: "unique", Message: "user with this email address already exists."})
	ErrLastStaff   = fault.New(fault.Conflict, "last_staff", "The last active staff user cannot stop being one.")
	ErrIDTaken     = fault.New(fault.Conflict, "id_taken", "a user with this id already exists")
	ErrBadEmail    = fault.New(fault.Invalid, "invalid_email", "Enter a valid email address.")
	ErrBadID       = fault.New(fault.Internal, "bad_id", "no user can have this id")
	ErrNotAwaiting = fault.New(fault.Conflict, "not_awaiting", "the account does not wait for its activation")
	ErrNoNewEmail  = fault.New(fault.Conflict, "no_new_email", "no change of the email address waits for its proof or can be undone")
	ErrBadState    = fault.New(fault.Internal, "bad_user", "stored user breaks a rule")
)
