package console

import (
	"strings"

	"roster/domain/audit"
	"roster/domain/user"
)

// eventTitles are the kinds of events in words.
var eventTitles = map[audit.Kind]string{
	audit.Registered:      "Created",
	audit.Changed:         "Changed",
	audit.PasswordChanged: "Password changed",
	audit.Deleted:         "Deleted",
	audit.SignedIn:        "Signed in",
	audit.SignInFailed:    "Sign-in failed",
	audit.Locked:          "Locked after failed sign-ins",
	audit.Unlocked:        "Unlocked",
	audit.Refreshed:       "Token refreshed",
	audit.Reused:          "Used token sent again",
	audit.SignedOut:       "Signed out",
	audit.SessionRevoked:  "Session ended",
	audit.SessionsRevoked: "All sessions ended",
	audit.LinkRequested:   "Link requested by staff",
	audit.LinkSent:        "Link mailed",
	audit.AccountActive:   "Activated by a mailed link",
	audit.PasswordReset:   "Password reset by a mailed link",
	audit.EmailRequested:  "Change of the address requested",
	audit.EmailUndone:     "Change of the address undone",
	audit.Imported:        "Imported",
	audit.Exported:        "Data exported",
	audit.KeyAdded:        "Signing key added",
	audit.KeyRotated:      "Signing key rotated",
	audit.KeyRetired:      "Signing key retired",
}

// shortID returns an id as it is shown in a table: of a UUID its end, which differs.
func shortID(id user.ID) string {
	if text := string(id); len(text) > integerDigits {
		return "…" + text[len(text)-8:]
	}
	return string(id)
}

// integerDigits is the most digits of an id that is a number.
const integerDigits = 19

// titleOf returns the kind of an event in words.
func titleOf(e audit.Event) string { return or(eventTitles[e.Kind], string(e.Kind)) }

// detailOf returns the detail of an event in words.
func detailOf(e audit.Event) string {
	if e.Kind == audit.Locked {
		return or(lockedSubjects[e.Detail], e.Detail)
	}
	if e.Kind != audit.Changed {
		return strings.ReplaceAll(e.Detail, "_", " ")
	}
	var parts []string
	for name := range strings.FieldsSeq(e.Detail) {
		parts = append(parts, or(changes[name], strings.ReplaceAll(name, "_", " ")))
	}
	return strings.Join(parts, ", ")
}

// lockedSubjects says what must wait, by the detail of an event audit.Locked.
var lockedSubjects = map[string]string{
	"account":                   "sign-ins to this account from this address must wait",
	"account from new networks": "sign-ins to this account from all new networks must wait",
	"address":                   "all sign-ins from this address must wait",
}

// changes are changes of flags in words.
var changes = map[string]string{
	user.FieldActive + "=true": "activated", user.FieldActive + "=false": "deactivated",
	user.FieldStaff + "=true": "made staff", user.FieldStaff + "=false": "no longer staff",
}

// classOf returns the class of an event: "bad" for one that an administrator should see.
func classOf(e audit.Event) string {
	switch {
	case e.Kind == audit.Locked, e.Kind == audit.Reused:
		return "bad"
	case e.Kind == audit.SignInFailed:
		return "waiting"
	}
	return ""
}

// byOf says in words what caused an event that no user did, "" for nothing else.
func byOf(e audit.Event) string {
	switch e.Channel {
	case audit.Operator:
		return "command line"
	case audit.Import:
		return "import"
	case audit.Delivery:
		return "mail queue"
	case audit.API:
	}
	return ""
}

// systems and programs are parts of a User-Agent header with what they mean, the particular ones first.
var (
	programs = [][2]string{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"HeadlessChrome/", "Headless Chrome"}, {"Chrome/", "Chrome"},
		{"Safari/", "Safari"}, {"curl/", "curl"}, {"okhttp", "okhttp"}, {"python-requests", "Python requests"}, {"Go-http-client", "Go client"},
	}
	systems = [][2]string{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	}
)

// clientName returns the browser and system of a User-Agent header, or the header itself if it names none that is known.
func clientName(header string) string {
	name := firstOf(programs, header)
	switch system := firstOf(systems, header); {
	case name == "":
		return or(header, "unknown client")
	case system == "":
		return name
	default:
		return name + " on " + system
	}
}

func firstOf(table [][2]string, text string) string {
	for _, row := range table {
		if strings.Contains(text, row[0]) {
			return row[1]
		}
	}
	return ""
}
