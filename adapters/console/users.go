package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/inbound"
)

const usersPath = "users/"

var userListRoutes = []route{
	{http.MethodGet, usersPath, (*server).listUsers, false},
	{http.MethodGet, usersPath + "users.csv", (*server).exportUsers, false},
	{http.MethodGet, newUserPath, (*server).showNewUser, false},
	{http.MethodPost, newUserPath, (*server).createUser, false},
	{http.MethodGet, invitePath, (*server).showInvite, false},
	{http.MethodPost, invitePath, (*server).invite, false},
}

// usersPerPage is how many users a page of the list has.
const usersPerPage = 25

// maxSearch is the most characters of a search.
const maxSearch = 200

// The parameters of the list of users.
const (
	paramSearch = "search"
	paramActive = "active"
	paramStaff  = "staff"
	paramOrder  = "order"
	paramColumn = "column"
	// paramFrom and paramFromID are the position of the last user of the page before; with paramBack that of the first one
	// of the page after.
	paramFrom   = "from"
	paramFromID = "from_id"
	paramBack   = "back"
)

// column is a column of the list.
type column struct {
	name   string // in URLs
	title  string
	sort   user.Sort // "" for none
	chosen bool      // unless the visitor chooses others
	text   func(user.Snapshot) string
}

// columns are those beside the address.
var columns = []column{
	{"name", "Name", user.SortLastName, true, nameOf},
	{"state", "State", "", true, stateOf},
	{"joined", "Joined", user.SortJoined, true, func(u user.Snapshot) string { return date(u.Joined) }},
	{"last_sign_in", "Last sign-in", "", true, func(u user.Snapshot) string { return or(date(u.LastLogin), "never") }},
	{"language", "Language", "", false, func(u user.Snapshot) string { return u.Contact.Locale }},
	{"id", "Id", user.SortID, false, func(u user.Snapshot) string { return string(u.ID) }},
}

// userList is a page of the list of users.
type userList struct {
	query   url.Values // of the page, without its position
	order   []user.Order
	columns []column
	users   []*user.User
	problem string
	// previous and next are the queries of the pages around this one, "" for none.
	previous, next string
}

// parseUserList returns the list that a URL selects, without its users, and the query for these.
func parseUserList(query url.Values) (userList, inbound.UserQuery) {
	l := userList{query: url.Values{}}
	for _, name := range []string{paramSearch, paramActive, paramStaff, paramOrder, paramColumn} {
		for _, value := range query[name] {
			if value != "" {
				l.query.Add(name, value)
			}
		}
	}
	l.order = user.Ordering(l.query.Get(paramOrder), user.Order{By: user.SortJoined, Desc: true})
	l.order = []user.Order{l.order[0], l.order[len(l.order)-1]} // a single order can use an index
	if l.order[0].By == user.SortID {
		l.order = l.order[:1]
	}
	chosen := l.query[paramColumn]
	for _, c := range columns {
		if slices.Contains(chosen, c.name) || len(chosen) == 0 && c.chosen {
			l.columns = append(l.columns, c)
		}
	}
	search := l.query.Get(paramSearch)
	if runes := []rune(search); len(runes) > maxSearch {
		search = string(runes[:maxSearch])
	}
	q := inbound.UserQuery{Query: user.Query{Order: l.order, Filter: user.Filter{
		Terms: user.Terms(search), Active: flag(l.query.Get(paramActive)), Staff: flag(l.query.Get(paramStaff)),
	}}}
	return l, q
}

// orders are the orders of the list.
var orders = []struct{ param, title string }{
	{"-date_joined", "Newest first"}, {"date_joined", "Oldest first"}, {"email", "Address A-Z"}, {"-email", "Address Z-A"},
	{"last_name", "Last name A-Z"}, {"-last_name", "Last name Z-A"}, {"first_name", "First name A-Z"}, {"-first_name", "First name Z-A"},
	{"id", "Id, lowest first"}, {"-id", "Id, highest first"},
}

// orderParam returns the order of the list as in its URL.
func (l userList) orderParam() string {
	if l.order[0].Desc {
		return "-" + string(l.order[0].By)
	}
	return string(l.order[0].By)
}

// has reports whether the list shows a column.
func (l userList) has(c column) bool {
	return slices.ContainsFunc(l.columns, func(shown column) bool { return shown.name == c.name })
}

// flag returns the value of a filter, nil for any.
func flag(text string) *bool {
	switch text {
	case "yes":
		return new(true)
	case "no":
		return new(false)
	}
	return nil
}

func (s *server) listUsers(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, q := parseUserList(v.query)
	back := v.query.Get(paramBack) != ""
	at, err := parsePosition(v.query, l.order)
	if err == nil {
		err = s.fill(r, v, &l, q, at, back)
	}
	status := http.StatusOK
	if err != nil {
		p := s.explain(w, r, err)
		l.problem, status = p.text, p.status
	}
	return s.show(r.Context(), w, v, page{title: "Users", section: usersPath, status: status, body: usersPage(v, l, s.Links != nil)})
}

// fill reads the users of a page, and one more, which shows whether there is a further page.
func (s *server) fill(r *http.Request, v *visit, l *userList, q inbound.UserQuery, at *user.Position, back bool) error {
	q.From, q.Limit = at, usersPerPage+1
	if back {
		q.Order = user.Reverse(q.Order)
	}
	users, err := s.Accounts.List(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	more := len(users) > usersPerPage
	users = users[:min(len(users), usersPerPage)]
	if back {
		slices.Reverse(users)
	}
	l.users = users
	if len(users) > 0 {
		if more || back {
			l.next = l.at(users[len(users)-1].Position(), false)
		}
		if more && back || !back && at != nil {
			l.previous = l.at(users[0].Position(), true)
		}
	}
	return nil
}

// at returns the query of the page after a position, or before it.
func (l userList) at(p user.Position, back bool) string {
	q := url.Values{}
	for name, values := range l.query {
		q[name] = values
	}
	q.Set(paramFromID, string(p.ID))
	switch l.order[0].By {
	case user.SortID:
	case user.SortEmail:
		q.Set(paramFrom, p.Email)
	case user.SortFirstName:
		q.Set(paramFrom, p.FirstName)
	case user.SortLastName:
		q.Set(paramFrom, p.LastName)
	case user.SortJoined:
		q.Set(paramFrom, p.Joined.UTC().Format(time.RFC3339Nano))
	}
	if back {
		q.Set(paramBack, "1")
	}
	return "?" + q.Encode()
}

var errBadPosition = fault.New(fault.Invalid, "bad_position", "The address of this page is not complete. Start again from the first page.")

// parsePosition is the inverse of userList.at; nil is the first page.
func parsePosition(query url.Values, order []user.Order) (*user.Position, error) {
	text := query.Get(paramFromID)
	if text == "" {
		return nil, nil //nolint:nilnil // the start has no position
	}
	id, err := user.ParseID(text)
	if err != nil {
		return nil, errBadPosition
	}
	from := query.Get(paramFrom)
	p := &user.Position{ID: id, Email: from, FirstName: from, LastName: from}
	if order[0].By == user.SortJoined {
		if p.Joined, err = time.Parse(time.RFC3339Nano, from); err != nil {
			return nil, errBadPosition
		}
	}
	return p, nil
}

// with returns the query of the list with another value of a parameter.
func (l userList) with(name, value string) string {
	q := url.Values{}
	for n, values := range l.query {
		q[n] = values
	}
	q.Set(name, value)
	return "?" + q.Encode()
}

// sorted returns how the list is ordered by s, as aria-sort has it: "" for not at all.
func (l userList) sorted(s user.Sort) string {
	switch {
	case s == "" || l.order[0].By != s:
		return ""
	case l.order[0].Desc:
		return "descending"
	}
	return "ascending"
}

// sortLink returns the query of the list in the order of s, in the other direction if it has that order.
func (l userList) sortLink(s user.Sort) string {
	if l.sorted(s) == "ascending" {
		return l.with(paramOrder, "-"+string(s))
	}
	return l.with(paramOrder, string(s))
}

// filtered reports whether the list leaves users out.
func (l userList) filtered() bool {
	return l.query.Get(paramSearch) != "" || l.query.Get(paramActive) != "" || l.query.Get(paramStaff) != ""
}

// summary says how many users are shown.
func (l userList) summary() string {
	switch n := len(l.users); {
	case n == 0 && l.filtered():
		return "No user matches."
	case n == 0:
		return "There are no users."
	case n == 1 && l.next == "" && l.previous == "":
		return "1 user"
	case l.next != "" || l.previous != "":
		return plural(n, "user") + " on this page"
	default:
		return plural(n, "user")
	}
}

// nameOf returns the name of a user, "" for none.
func nameOf(u user.Snapshot) string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// badge is a state of a user.
type badge struct{ text, class string }

// badgesOf returns the states of a user.
func badgesOf(u user.Snapshot) []badge {
	state := badge{"Active", "good"}
	switch {
	case u.EmailState == user.Invited:
		state = badge{"Invited", "waiting"}
	case u.EmailState == user.AwaitingActivation:
		state = badge{"Not activated", "waiting"}
	case !u.Active:
		state = badge{"Inactive", "bad"}
	}
	all := []badge{state}
	if u.Staff {
		all = append(all, badge{"Staff", "special"})
	}
	if u.EmailState == user.EmailVerified {
		all = append(all, badge{"Verified", "plain"})
	}
	return all
}

// stateOf returns the states of a user as text.
func stateOf(u user.Snapshot) string {
	var texts []string
	for _, b := range badgesOf(u) {
		texts = append(texts, b.text)
	}
	return strings.Join(texts, ", ")
}

// date returns a time in UTC to the minute, "" for the zero time.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}
