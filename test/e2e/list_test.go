package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"roster/test/support/process"
)

// page is one page of the list.
type page struct {
	answer
	emails         []string
	next, previous string // links, "" for none
}

// list reads one page. A link may be absolute or relative.
func list(s *process.Server, t testing.TB, link string, as tokens, options ...option) page {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if base, _ := url.Parse(s.URL); u.IsAbs() && (u.Host != base.Host || u.Scheme != "http") {
		t.Fatalf("the link %s leads elsewhere", link)
	}
	p := page{answer: call(s, t, "GET", u.RequestURI(), append(options, bearer(as.access))...).want(200)}
	doc := p.json()
	p.next, _ = doc["next"].(string)
	p.previous, _ = doc["previous"].(string)
	results, ok := doc["results"].([]any)
	if !ok {
		t.Fatalf("%s: no results: %s", p.what, p.raw)
	}
	for _, r := range results {
		email, _ := r.(object)["email"].(string)
		p.emails = append(p.emails, email)
	}
	return p
}

// town starts a service with users, by their emails in the order of joining. The first is signed in.
func town(t *testing.T, env map[string]string, emails ...string) (*process.Server, map[string]person, tokens) {
	t.Helper()
	s := process.Start(t, env)
	people := map[string]person{}
	for _, email := range emails {
		people[email] = register(s, t, email)
	}
	return s, people, signIn(s, t, people[emails[0]])
}

// addresses returns n addresses in alphabetical order.
func addresses(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("user-%c@example.com", 'a'+i)
	}
	return out
}

// A client that follows the links gets every user once, in order, in both directions.
func TestListIsCompleteInBothDirections(t *testing.T) {
	emails := addresses(8)
	s, _, k := town(t, map[string]string{"ROSTER_PAGE_SIZE": "3"}, emails...)
	for _, c := range []struct{ query, name string }{
		{"", "order of joining"}, {"?ordering=email", "by email"}, {"?ordering=-email", "by email, backwards"},
		{"?ordering=-date_joined", "newest first"}, {"?ordering=last_name,-id", "by equal names, then id backwards"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := slices.Clone(emails)
			if strings.Contains(c.query, "-") {
				slices.Reverse(want)
			}
			var forth []string
			p := list(s, t, "/api/users/"+c.query, k)
			same(t, "previous of the first page", p.previous, "")
			pages := []page{p}
			for forth = p.emails; p.next != ""; forth = append(forth, p.emails...) {
				p = list(s, t, p.next, k)
				pages = append(pages, p)
			}
			same(t, "all users, following next", forth, want)
			same(t, "number of pages", len(pages), 3)
			for i := len(pages) - 2; i >= 0; i-- {
				p = list(s, t, p.previous, k)
				same(t, fmt.Sprintf("page %d, following previous", i+1), p.emails, pages[i].emails)
				same(t, fmt.Sprintf("page %d, forth again", i+2), list(s, t, p.next, k).emails, pages[i+1].emails)
			}
			same(t, "previous of the first page again", p.previous, "")
		})
	}
}

// While users are added and deleted, the links omit no user that stays and show none twice.
func TestListIsCompleteDuringChanges(t *testing.T) {
	emails := addresses(9)
	s, people, k := town(t, map[string]string{"ROSTER_PAGE_SIZE": "3"}, emails...)
	_, admin := staff(s, t, "zz-admin@example.com")
	remove := func(email string) {
		t.Helper()
		call(s, t, "DELETE", people[email].path(), bearer(admin.access)).want(204)
	}

	first := list(s, t, "/api/users/?ordering=email", k)
	same(t, "first page", first.emails, emails[:3])
	remove(emails[1])                        // on the first page: page numbers would now skip one
	remove(emails[2])                        // the last of the first page: the position of the cursor
	remove(emails[4])                        // on a later page
	register(s, t, "user-1@example.com")     // before the first page: page numbers would now repeat one
	register(s, t, emails[6]+".example.com") // on a later page
	second := list(s, t, first.next, k)
	same(t, "second page", second.emails, []string{emails[3], emails[5], emails[6]})
	remove(emails[6])
	third := list(s, t, second.next, k)
	same(t, "third page", third.emails, []string{emails[6] + ".example.com", emails[7], emails[8]})
	last := list(s, t, third.next, k)
	same(t, "last page", last.emails, []string{"zz-admin@example.com"})
	same(t, "next of the last page", last.next, "")

	back := list(s, t, third.previous, k)
	same(t, "back from the third page", back.emails, []string{emails[0], emails[3], emails[5]})
	back = list(s, t, back.previous, k)
	same(t, "the rest", back.emails, []string{"user-1@example.com"})
	same(t, "previous of the rest", back.previous, "")
}

// A request with a page number gets Django's pages.
func TestPageNumbersOnRequest(t *testing.T) {
	emails := addresses(5)
	s, _, k := town(t, map[string]string{"ROSTER_PAGE_SIZE": "2"}, emails...)
	p := list(s, t, "/api/users/?page=1", k)
	same(t, "count", p.json()["count"], 5.0)
	same(t, "first page", p.emails, emails[:2])
	same(t, "previous of the first page", p.previous, "")
	p = list(s, t, p.next, k)
	same(t, "second page", p.emails, emails[2:4])
	back := list(s, t, p.previous, k)
	same(t, "back to the first page", back.emails, emails[:2])
	same(t, "count on the first page, coming back", back.json()["count"], 5.0)
	p = list(s, t, p.next, k)
	same(t, "last page", p.emails, emails[4:])
	same(t, "next of the last page", p.next, "")
	same(t, "page=last", list(s, t, "/api/users/?page=last", k).emails, emails[4:])
	same(t, "back", list(s, t, p.previous, k).emails, emails[2:4])
	same(t, "with other parameters", list(s, t, "/api/users/?page=2&ordering=-email", k).emails, []string{emails[2], emails[1]})
	for _, bad := range []string{"0", "-1", "4", "two", "1.5", "99999999999999999999"} {
		call(s, t, "GET", "/api/users/?page="+bad, bearer(k.access)).is(404, object{"detail": "Invalid page."})
	}
}

// Search, filters and ordering behave as Django's.
func TestSearchFilterAndOrder(t *testing.T) {
	s := process.Start(t, nil)
	for email, name := range map[string][2]string{
		"ann@example.com": {"Ann", "Lee"}, "bob@example.org": {"Bob", "O'Neil"}, "cy_d@example.com": {"Ćyril", "Lee 100%"},
	} {
		user := registration(email)
		user["first_name"], user["last_name"] = name[0], name[1]
		call(s, t, "POST", "/api/users/", body(user)).want(201)
	}
	k := signIn(s, t, person{email: "ann@example.com"})
	s.MustCLI("user", "set", "bob@example.org", "--active=false")
	s.MustCLI("user", "set", "cy_d@example.com", "--staff=true")

	for query, want := range map[string]string{
		"search=lee":                     "ann@example.com cy_d@example.com",
		"search=LEE+example.com":         "ann@example.com cy_d@example.com",
		"search=lee,cy_":                 "cy_d@example.com",
		"search=%25":                     "cy_d@example.com",
		"search=_":                       "cy_d@example.com",
		"search=ćYR":                     "cy_d@example.com",
		"search='":                       "bob@example.org",
		"search=nobody":                  "",
		"search=":                        "ann@example.com bob@example.org cy_d@example.com",
		"search=%00lee":                  "ann@example.com cy_d@example.com",
		"is_active=false":                "bob@example.org",
		"is_active=true":                 "ann@example.com cy_d@example.com",
		"is_staff=true":                  "cy_d@example.com",
		"is_staff=true&is_active=false":  "",
		"is_active=perhaps":              "ann@example.com bob@example.org cy_d@example.com",
		"ordering=-email":                "cy_d@example.com bob@example.org ann@example.com",
		"ordering=last_name,-first_name": "ann@example.com cy_d@example.com bob@example.org",
		"ordering=password,-email":       "cy_d@example.com bob@example.org ann@example.com",
		"unknown=1&ordering=email":       "ann@example.com bob@example.org cy_d@example.com",
	} {
		parameters, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%20"))
		if err != nil {
			t.Fatal(err)
		}
		if !parameters.Has("ordering") {
			parameters.Set("ordering", "email")
		}
		var options []option
		if strings.Contains(query, "perhaps") {
			options = append(options, odd)
		}
		got := list(s, t, "/api/users/?"+parameters.Encode(), k, options...).emails
		same(t, query, strings.Join(got, " "), want)
	}
}

// A link keeps the query, and a changed cursor is refused.
func TestCursors(t *testing.T) {
	emails := addresses(5)
	s, _, k := town(t, map[string]string{"ROSTER_PAGE_SIZE": "2"}, emails...)
	p := list(s, t, "/api/users/?search=user&ordering=-email&is_active=true", k)
	next, err := url.Parse(p.next)
	if err != nil {
		t.Fatal(err)
	}
	query := next.Query()
	for name, want := range map[string]string{"search": "user", "ordering": "-email", "is_active": "true"} {
		same(t, "parameter "+name+" of the link", query.Get(name), want)
	}
	if !query.Has("cursor") {
		t.Errorf("the link %s has no cursor", p.next)
	}
	if strings.Contains(p.next, "example.com") {
		t.Errorf("the link %s has an address", p.next)
	}

	cursor := query.Get("cursor")
	for name, bad := range map[string]string{
		"rubbish": "rubbish", "blank bytes": "%00%FF", "cut short": cursor[:len(cursor)/2], "a number": "2",
		"twice": cursor + cursor, "an object": "eyJpZCI6MX0", "another alphabet": "*" + cursor,
	} {
		t.Run(name, func(t *testing.T) {
			q := maps.Clone(query)
			q.Set("cursor", bad)
			call(s, t, "GET", "/api/users/?"+q.Encode(), bearer(k.access)).is(404, object{"detail": "Invalid cursor"})
		})
	}
}
