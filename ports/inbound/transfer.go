package inbound

import (
	"context"

	"roster/domain/archive"
	"roster/domain/fault"
	"roster/domain/user"
)

// Outcome is what became of a row of an import.
type Outcome string

// The outcomes.
const (
	Added     Outcome = "added"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
	Kept      Outcome = "kept" // the row differs, but the user was in use here since, which counts for more
	Rejected  Outcome = "rejected"
)

// Reason says why a row was rejected.
type Reason string

// Why rows are rejected.
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
	ReasonLastStaff     Reason = "last_staff" // the row would take away the last active staff user
)

// Notice is something to be known of a row that went in.
type Notice string

// The notices.
const (
	// NoticeNoPassword: the hash is kept, but no password fits it; the user needs a new one.
	NoticeNoPassword Notice = "password_cannot_be_verified"
	// NoticeStaff: is_staff without is_superuser, which makes no administrator here.
	NoticeStaff Notice = "staff_without_superuser"
	// NoticeSuperuser: is_superuser without is_staff, which makes no administrator with StaffAsAdmin.
	NoticeSuperuser Notice = "superuser_without_staff"
	// NoticeNewID: the source tells no id, so that the user has another here. Tokens that were issued
	// there name the old ids, which are others' here: their key must not be taken over.
	NoticeNewID Notice = "new_id"
	// NoticeTokenWithoutUser: a revoked token of nobody, which is no good anyway and is left out.
	NoticeTokenWithoutUser Notice = "revoked_token_without_user"
	// NoticeTokenUnknown: a revocation that cannot be read, or of which the source does not hold the
	// token. That token is honoured until it expires.
	NoticeTokenUnknown Notice = "revoked_token_unknown"
)

// ImportRow is what there is to tell of one row.
type ImportRow struct {
	Place   string
	ID      user.ID // "" when it has none
	Email   string
	Outcome Outcome
	Reason  Reason   // of a rejection
	Detail  string   // for people
	Other   user.ID  // the user who has the address already
	Differs []string // the members that were updated, or kept
	Notices []Notice
	Row     []byte // of a rejected row: what to read again later; holds the password's hash
}

// ImportOptions says how to import.
type ImportOptions struct {
	DryRun    bool   // store nothing, and tell what would be
	Overwrite bool   // the source counts for more, whatever happened here since
	Blacklist bool   // take over revoked tokens too
	Source    string // what is read, for the audit trail
	// LastID is the highest counted id that was ever given, where the source cannot tell: at most
	// user.LastImportedID; 0 for none.
	LastID int64
	// StaffAsAdmin makes administrators of those with is_staff. Django lets them open its admin site,
	// with the permissions that they have; an administrator here may do everything, as only is_superuser
	// may there.
	StaffAsAdmin bool
	// AcceptCostly takes stored passwords that cost more than credential.MaxTimes or MaxMiB.
	AcceptCostly bool
}

// ErrLastID says that ImportOptions.LastID is none, or leaves too few ids for new users.
var ErrLastID = fault.New(fault.Invalid, "invalid_last_id", "the last id must be from 0 to "+string(user.IntegerID(user.LastImportedID)))

// ImportSummary counts what became of the rows.
type ImportSummary struct {
	Users  map[Outcome]int64
	Tokens map[Outcome]int64 // revoked tokens; Rejected are those without a user, and unknown ones
	// Expired revoked tokens are left out: they are no good anyway.
	Expired int64
	Notices map[Notice]int64
	// Staff and Superusers are how many of the users that were not rejected have is_staff and
	// is_superuser there.
	Staff, Superusers int64
}

// Whole reports whether all users went in.
func (s ImportSummary) Whole() bool { return s.Users[Rejected] == 0 }

// Revocations returns how many of the source's revoked tokens are revoked here, or have expired.
func (s ImportSummary) Revocations() int64 {
	return s.Tokens[Added] + s.Tokens[Updated] + s.Tokens[Unchanged] + s.Expired
}

// Progress tells how far a move is: done of total things, of one kind.
type Progress func(what string, done, total int64)

// Importing takes over the users of another system.
type Importing interface {
	// Import reads all of the source. tell is called with each row that was rejected, updated or kept,
	// or of which there is something to know, and its error ends the import. Cut off at any point, it
	// can be run again.
	Import(ctx context.Context, o ImportOptions, tell func(ImportRow) error, progress Progress) (ImportSummary, error)
}

// CopyOptions says how to copy.
type CopyOptions struct {
	VerifyOnly bool // copy nothing, and compare
	Resume     bool // go on with what an interrupted copy left in the target
}

// Copying takes everything from one storage to another.
type Copying interface {
	// Copy returns what the target holds in the end. It fails with archive.ErrNotEmpty and archive.ErrDifferent.
	Copy(ctx context.Context, o CopyOptions, progress Progress) ([]archive.Contents, error)
}

// Exporting writes everything down.
type Exporting interface {
	Export(ctx context.Context, progress Progress) ([]archive.Contents, error)
}

// Restoring reads back what Exporting wrote.
type Restoring interface {
	// Check reads the export to its end and stores nothing.
	Check(ctx context.Context, progress Progress) ([]archive.Contents, error)
	// Restore stores all of it. It fails as Copy does.
	Restore(ctx context.Context, resume bool, progress Progress) ([]archive.Contents, error)
}
