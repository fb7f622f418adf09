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

// precision is how exact the times of users are that storage keeps (user.Snapshot).
const precision = time.Microsecond

func cutTime(t time.Time) time.Time { return t.UTC().Truncate(precision) }

// faultReasons are the reasons for which rows that cannot be read are rejected.
var faultReasons = map[outbound.FaultKind]inbound.Reason{
	outbound.NoFault: "", outbound.RowMalformed: inbound.ReasonMalformed, outbound.IDUnsupported: inbound.ReasonUnsupportedID,
	outbound.DateUnsupported: inbound.ReasonBadDate,
}

// judge makes of a row what is to be stored, or says why that cannot be.
//
// Everything is kept as it is: the address as it was shown, names (also empty ones, which Django
// allows), flags, the stored credential, dates as exact as storage has them. Administration has one flag
// here and two there, see inbound.ImportOptions.
func (r *importRun) judge(s outbound.SourceUser) (candidate, *rejection) {
	c := candidate{dated: !s.Joined.IsZero(), staff: s.Staff, superuser: s.Superuser, row: inbound.ImportRow{Place: s.Place, ID: s.ID, Email: s.Email, Row: s.Row}}
	if s.Fault.Kind != outbound.NoFault {
		return c, &rejection{faultReasons[s.Fault.Kind], s.Fault.Text}
	}
	if n, counted := s.ID.Integer(); counted && n > user.LastImportedID {
		return c, &rejection{inbound.ReasonUnsupportedID, "the id leaves too few for new users; the highest is " + string(user.IntegerID(user.LastImportedID))}
	}
	shown := field.Strip(s.Email)
	if shown == "" {
		return c, &rejection{inbound.ReasonNoEmail, "there is no email address, and the user name is none"}
	}
	_, _, faults := user.EmailRule(true).Check(field.Given(shown))
	email, err := user.ParseEmail(shown, r.Domains.ToASCII)
	if text := message(faults); text != "" || err != nil {
		if text == "" {
			text = user.ErrBadEmail.Message
		}
		return c, &rejection{inbound.ReasonBadEmail, text}
	}
	if why := judgeNames(s); why != nil {
		return c, why
	}
	if why := r.judgeHash(s, &c); why != nil {
		return c, why
	}
	if why := judgeDates(s); why != nil {
		return c, why
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
		ID: s.ID, Email: shown, EmailKey: email.Key(), FirstName: s.FirstName, LastName: s.LastName,
		Active: s.Active, Staff: administers, Password: s.Password, Joined: r.now, LastLogin: cutTime(s.LastLogin), Version: 1,
	}
	if c.dated {
		c.snapshot.Joined = cutTime(s.Joined)
	}
	return c, nil
}

// judgeNames checks names as the API does, but for those that are empty.
func judgeNames(s outbound.SourceUser) *rejection {
	for _, n := range []struct{ member, text string }{{user.FieldFirstName, s.FirstName}, {user.FieldLastName, s.LastName}} {
		if field.Strip(n.text) == "" && utf8.ValidString(n.text) {
			continue
		}
		rule := user.NameRule(n.member, false)
		rule.Keep = true
		if _, _, faults := rule.Check(field.Given(n.text)); len(faults) > 0 {
			return &rejection{inbound.ReasonBadName, n.member + ": " + message(faults)}
		}
	}
	return nil
}

// maxHash is the most bytes of a stored credential; Django's column holds 128 characters.
const maxHash = 512

// judgeHash keeps what Django would verify, or could with another setting, even if no password fits
// it here: its user needs a new one, and is there to be given it. What nobody knows is rejected.
func (r *importRun) judgeHash(s outbound.SourceUser, c *candidate) *rejection {
	encoded := s.Password.Encoded()
	cost, readable := r.Hashes.Cost(s.Password)
	switch {
	case readable && cost.Excessive() && !r.options.AcceptCostly:
		return &rejection{inbound.ReasonCostlyHash, fmt.Sprintf(
			"each sign-in would take %.0f times the work of a password set here and %d MiB; at most %d times and %d MiB are accepted",
			cost.Times, cost.MiB, credential.MaxTimes, credential.MaxMiB)}
	case !s.Password.Usable(), readable:
	case len(encoded) > maxHash, !utf8.ValidString(encoded), strings.ContainsRune(encoded, 0):
		return &rejection{inbound.ReasonBadHash, "the stored password is too long, or no text"}
	case s.Scheme:
		c.row.Notices = append(c.row.Notices, inbound.NoticeNoPassword)
	default:
		return &rejection{inbound.ReasonUnknownScheme, "the scheme of the stored password is none of Django's"}
	}
	return nil
}

// judgeDates refuses times that no answer could show, and the first instant of all, which stands for
// none.
func judgeDates(s outbound.SourceUser) *rejection {
	for _, t := range []time.Time{s.Joined, s.LastLogin} {
		if at := cutTime(t); !t.IsZero() && (at.IsZero() || at.Year() < 1 || at.Year() > 9999) {
			return &rejection{inbound.ReasonBadDate, "a date is not within the years 1 to 9999"}
		}
	}
	return nil
}
