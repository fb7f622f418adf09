package inbound

import (
	"context"

	"roster/domain/archive"
	"roster/domain/fault"
	"roster/domain/user"
)

// Outcome is the result of a row of an import.
type Outcome string

// The outcomes.
const (
	Added     Outcome = "added"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
	Kept      Outcome = "kept" // the row differs, but the user was in use here, which takes precedence
	Rejected  Outcome = "rejected"
)

// Reason is why a row was rejected.
type Reason string

// The reasons.
const (
	ReasonMalformed     Reason = "malformed_row"
	ReasonUnsupportedID Reason = "unsupported_id"
	ReasonNoEmail       Reason = "missing_email"
	ReasonBadEmail      Reason = "invalid_email"
	ReasonEmailTaken    Reason = "duplicate_email"
	ReasonIDTaken       Reason = "duplicate_id"
	ReasonBadName       Reason = "invalid_name"
	ReasonUnknownScheme Reason = "unknown_hash_scheme"
	ReasonBadHash       Reason = "invalid_password_hash"
	ReasonCostlyHash    Reason = "costly_password_hash"
	ReasonBadDate       Reason = "invalid_date"
	ReasonLastStaff     Reason = "last_staff" // no active staff user would remain
)

// Notice is a warning about an imported row.
type Notice string

// The notices.
const (
	// NoticeNoPassword: the hash is kept, but no password can match it. The user needs a new password.
	NoticeNoPassword Notice = "password_cannot_be_verified"
	// NoticeStaff: is_staff without is_superuser, so the user is no administrator here.
	NoticeStaff Notice = "staff_without_superuser"
	// NoticeSuperuser: is_superuser without is_staff, so the user is no administrator here under StaffAsAdmin.
	NoticeSuperuser Notice = "superuser_without_staff"
	// NoticeNewID: the source has no ids, so the user got a new one. Tokens of the source contain its ids, which
	// belong to other users here: its signing key must not be used here.
	NoticeNewID Notice = "new_id"
	// NoticeUnverified: the source records addresses that were proven, and this one was not. It is not verified here; the
	// user may sign in all the same if it is active.
	NoticeUnverified Notice = "email_unverified"
	// NoticeOtherEmails: the source has further addresses of the user. They were not imported.
	NoticeOtherEmails Notice = "other_emails_left_out"
	// NoticeTokenWithoutUser: a revoked token without a user was left out. It is invalid anyway.
	NoticeTokenWithoutUser Notice = "revoked_token_without_user"
	// NoticeTokenUnknown: a revocation is unreadable, or the source lacks its token. The token stays valid until it
	// expires.
	NoticeTokenUnknown Notice = "revoked_token_unknown"
)

// ImportRow is the report on one row.
type ImportRow struct {
	Location      string
	ID            user.ID // "" for none
	Email         string
	Outcome       Outcome
	Reason        Reason   // set when rejected
	Detail        string   // in English, for people
	Other         user.ID  // the user that has the address or id already
	ChangedFields []string // fields that were updated, or would have been
	Notices       []Notice
	Row           []byte // the rejected row, to be imported again later; contains the password hash
}

// ImportOptions are the options of an import.
type ImportOptions struct {
	DryRun    bool   // store nothing and report what would be done
	Overwrite bool   // overwrite changes that were made here
	Blacklist bool   // import revoked tokens too
	Source    string // name of the source, for the audit trail
	// LastID is the highest integer id that the source ever assigned, for sources that do not know it. It is at most
	// user.LastImportedID; 0 for none.
	LastID int64
	// StaffAsAdmin makes users with is_staff administrators. In Django, is_staff opens the admin site with the
	// permissions of the user; only is_superuser may do everything, as an administrator may here.
	StaffAsAdmin bool
	// AcceptCostly accepts password hashes whose cost exceeds credential.MaxTimes or credential.MaxMiB.
	AcceptCostly bool
}

// ErrLastID is the error of an ImportOptions.LastID out of range.
var ErrLastID = fault.New(fault.Invalid, "invalid_last_id", "the last id must be from 0 to "+string(user.IntegerID(user.LastImportedID)))

// ImportSummary counts the rows of an import.
type ImportSummary struct {
	Users  map[Outcome]int64
	Tokens map[Outcome]int64 // revoked tokens; Rejected counts those without a user and unknown ones
	// Expired counts revoked tokens that were left out, since they have expired.
	Expired int64
	Notices map[Notice]int64
	// Staff and Superusers count the users with is_staff and is_superuser in the source, without rejected rows.
	Staff, Superusers int64
	// Verified counts the users whose address the source records as proven, without rejected rows.
	Verified int64
}

// Complete reports whether no user was rejected.
func (s ImportSummary) Complete() bool { return s.Users[Rejected] == 0 }

// Revocations returns the number of revoked tokens of the source that are revoked here or have expired.
func (s ImportSummary) Revocations() int64 {
	return s.Tokens[Added] + s.Tokens[Updated] + s.Tokens[Unchanged] + s.Expired
}

// Progress is called as a transfer goes on. phase names what is counted; total is 0 when it is not known.
type Progress func(phase string, done, total int64)

// Importing is the import of users from another system.
type Importing interface {
	// Import reads the whole source. It calls report with each row that was rejected, updated or kept, or that has
	// notices, and stops when report fails. An interrupted import can be run again.
	Import(ctx context.Context, o ImportOptions, report func(ImportRow) error, progress Progress) (ImportSummary, error)
}

// CopyOptions are the options of a copy.
type CopyOptions struct {
	VerifyOnly bool // copy nothing, only compare
	Resume     bool // continue an interrupted copy: the target need not be empty
}

// Copying copies all records from one storage to another.
type Copying interface {
	// Copy returns the contents of the target after the copy. It fails with archive.ErrNotEmpty when the target has
	// records and Resume is not set, and with archive.ErrDifferent when source and target differ in the end.
	Copy(ctx context.Context, o CopyOptions, progress Progress) ([]archive.Contents, error)
}

// Exporting writes all records to a file.
type Exporting interface {
	// Export returns the contents that it wrote.
	Export(ctx context.Context, progress Progress) ([]archive.Contents, error)
}

// Restoring reads an export.
type Restoring interface {
	// Check reads the whole export, returns its contents and stores nothing. It fails with archive.ErrDifferent when
	// the contents differ from those in the footer.
	Check(ctx context.Context, progress Progress) ([]archive.Contents, error)
	// Restore stores all records of the export. It fails as Copying.Copy does.
	Restore(ctx context.Context, resume bool, progress Progress) ([]archive.Contents, error)
}
