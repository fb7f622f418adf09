package django

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"roster/ports/outbound"
)

// The addresses of allauth.account, which records whether the user proved each of them.
const (
	emailModel = "account.emailaddress"
	emailTable = "account_emailaddress"
)

// The fields that a row gets from the addresses of its user. No field of Django has such a name. A rejected row keeps them.
const (
	provenField = "allauth:verified" // of the user's address: null without a record, else whether it is verified
	othersField = "allauth:others"   // number of further addresses
)

// addresses are the addresses in a fixture. They are kept as digests, since they may come before their users.
type addresses struct {
	proven map[fingerprint]bool // user and address -> whether it is verified
	count  map[fingerprint]int  // user -> number of addresses
}

func newAddresses() addresses {
	return addresses{map[fingerprint]bool{}, map[fingerprint]int{}}
}

// addressKey returns the key of a user's address. Older versions of allauth keep the case, newer ones do not.
func addressKey(userID jsontext.Value, address string) fingerprint {
	return fingerprintOf(jsontext.Value(string(userID) + " " + strings.ToLower(strings.TrimSpace(address))))
}

func (a addresses) add(x object) {
	userID := x.Fields["user"]
	key, verified := addressKey(userID, x.Fields.text("email")), string(x.Fields["verified"]) == "true"
	a.proven[key] = a.proven[key] || verified
	a.count[fingerprintOf(userID)]++
}

// mark adds what is known of the addresses of a user to its fields, and reports whether anything is.
func (a addresses) mark(pk jsontext.Value, address string, fields row) bool {
	n := a.count[fingerprintOf(pk)]
	if n == 0 {
		return false
	}
	if verified, known := a.proven[addressKey(pk, address)]; known {
		fields[provenField] = jsontext.Value(fmt.Sprint(verified))
		n--
	} else {
		fields[provenField] = jsontext.Value("false")
	}
	fields[othersField] = jsontext.Value(fmt.Sprint(n))
	return true
}

// emailColumns returns the columns for the fields of addresses, if the database has the table.
func (d *database) emailColumns() []column {
	if d.emails.sql == "" {
		return nil
	}
	for _, c := range []string{"user_id", "email", "verified"} {
		if !slices.Contains(d.emails.columns, c) {
			return nil
		}
	}
	address := "''"
	for _, m := range []string{memberUsername, memberEmail} { // see Options.user
		if f := d.o.field(m); slices.Contains(d.table.columns, f) {
			address = fmt.Sprintf("coalesce(nullif(t.%s, ''), %s)", quoted(f), address)
		}
	}
	of := fmt.Sprintf("FROM %s AS e WHERE e.user_id = t.%s", d.emails.sql, quoted(d.table.key))
	same := fmt.Sprintf("lower(e.email) = lower(trim(%s))", address)
	return []column{
		{provenField, fmt.Sprintf("(SELECT max(CASE WHEN e.verified AND %s THEN 1 ELSE 0 END) %s)", same, of)},
		{othersField, fmt.Sprintf("(SELECT count(*) %s AND NOT %s)", of, same)},
	}
}

// emails sets what the source knows of the user's addresses.
func (m *members) emails(u *outbound.SourceUser) {
	switch string(m.fields[provenField]) {
	case "true", "1":
		u.Proof = outbound.Proven
	case "false", "0":
		u.Proof = outbound.Unproven
	}
	if n := string(m.fields[othersField]); n != "" && n != "null" && n != "0" {
		_, _ = fmt.Sscan(n, &u.OtherEmails) // a number, which this package wrote
	}
}
