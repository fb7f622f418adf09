package transfer

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"roster/domain/credential"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// precision is the resolution of the stored times of users (user.Snapshot).
const precision = time.Microsecond

func truncateTime(t time.Time) time.Time { return t.UTC().Truncate(precision) }

// faultReasons maps the faults of unreadable rows to the reasons of their rejection.
var faultReasons = map[outbound.FaultKind]inbound.Reason{
	outbound.NoFault: "", outbound.RowMalformed: inbound.ReasonMalformed, outbound.IDUnsupported: inbound.ReasonUnsupportedID,
	outbound.DateUnsupported: inbound.ReasonBadDate,
}

// convert returns the user to store for a row, or the reason and the detail of its rejection.
//
// Everything is kept as in the source: the address as shown, names (Django allows empty ones), flags, the stored
// credential, and times with the precision of the storage. Django has two flags for administration, this service has
// one; see inbound.ImportOptions.
func (r *importRun) convert(s outbound.SourceUser) (c candidate, reason inbound.Reason, detail string) {
	c = candidate{
		hasJoined: !s.Joined.IsZero(), staff: s.Staff, superuser: s.Superuser,
		row: inbound.ImportRow{Location: s.Location, ID: s.ID, Email: s.Email, Row: s.Row},
	}
	if s.Fault.Kind != outbound.NoFault {
		return c, faultReasons[s.Fault.Kind], s.Fault.Text
	}
	if n, counted := s.ID.Integer(); counted && n > user.LastImportedID {
		return c, inbound.ReasonUnsupportedID,
			"the id leaves too few ids for new users; the highest accepted is " + string(user.IntegerID(user.LastImportedID))
	}
	address := field.Strip(s.Email)
	if address == "" {
		return c, inbound.ReasonNoEmail, "there is no email address, and the user name is not one"
	}
	if _, _, faults := user.EmailRule(true).Check(field.Given(address)); len(faults) > 0 {
		return c, inbound.ReasonBadEmail, faults[0].Message
	}
	email, err := user.ParseEmail(address, r.Domains.ToASCII)
	if err != nil {
		return c, inbound.ReasonBadEmail, user.ErrBadEmail.Message
	}
	if detail := checkNames(s); detail != "" {
		return c, inbound.ReasonBadName, detail
	}
	if reason, detail := r.checkHash(s, &c); reason != "" {
		return c, reason, detail
	}
	for _, t := range []time.Time{s.Joined, s.LastLogin} { // no response can show other years; the zero time means none
		if at := truncateTime(t); !t.IsZero() && (at.IsZero() || at.Year() < 1 || at.Year() > 9999) {
			return c, inbound.ReasonBadDate, "a date is outside the years 1 to 9999"
		}
	}
	administers := s.Superuser
	if r.options.StaffAsAdmin {
		administers = s.Staff
	}
	switch {
	case s.Staff && !administers:
		c.row.Notices = append(c.row.Notices, inbound.NoticeStaff)
	case s.Superuser && !administers:
		c.row.Notices = append(c.row.Notices, inbound.NoticeSuperuser)
	}
	c.snapshot = user.Snapshot{
		ID: s.ID, Email: address, EmailKey: email.Key(), FirstName: s.FirstName, LastName: s.LastName,
		Active: s.Active, Staff: administers, Password: s.Password, Joined: r.now, LastLogin: truncateTime(s.LastLogin), Version: 1,
	}
	switch s.Proof {
	case outbound.ProofUnknown:
	case outbound.Proven:
		c.snapshot.EmailState = user.EmailVerified
	case outbound.Unproven:
		c.row.Notices = append(c.row.Notices, inbound.NoticeUnverified)
	}
	if s.OtherEmails > 0 {
		c.row.Notices = append(c.row.Notices, inbound.NoticeOtherEmails)
	}
	if c.hasJoined {
		c.snapshot.Joined = truncateTime(s.Joined)
	}
	return c, "", ""
}

// checkNames returns what is wrong with the names, or "". It checks as the API does, except that they may be empty.
func checkNames(s outbound.SourceUser) string {
	for _, n := range []struct{ member, text string }{{user.FieldFirstName, s.FirstName}, {user.FieldLastName, s.LastName}} {
		if field.Strip(n.text) == "" && utf8.ValidString(n.text) {
			continue
		}
		rule := user.NameRule(n.member, false)
		rule.KeepSpace = true
		if _, _, faults := rule.Check(field.Given(n.text)); len(faults) > 0 {
			return n.member + ": " + faults[0].Message
		}
	}
	return ""
}

// maxHash is the maximum length of a stored credential in bytes. Django's column has 128 characters.
const maxHash = 512

// checkHash accepts every hash that Django can verify, even if this service cannot: its user can be given a new
// password. It rejects hashes of unknown schemes.
func (r *importRun) checkHash(s outbound.SourceUser, c *candidate) (reason inbound.Reason, detail string) {
	encoded := s.Password.Encoded()
	cost, readable := r.Hashes.Cost(s.Password)
	switch {
	case readable && cost.Excessive() && !r.options.AcceptCostly:
		return inbound.ReasonCostlyHash, fmt.Sprintf(
			"each sign-in would take %.0f times the work of a password set here and %d MiB; at most %d times and %d MiB are accepted",
			cost.Times, cost.MiB, credential.MaxTimes, credential.MaxMiB)
	case !s.Password.Usable(), readable:
	case len(encoded) > maxHash, !utf8.ValidString(encoded), strings.ContainsRune(encoded, 0):
		return inbound.ReasonBadHash, "the stored password is too long or not text"
	case s.KnownScheme:
		c.row.Notices = append(c.row.Notices, inbound.NoticeNoPassword)
	default:
		return inbound.ReasonUnknownScheme, "the scheme of the stored password is not one of Django's"
	}
	return "", ""
}
