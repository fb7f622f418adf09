package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/user"
)

// A page that a client names after a sign-in is one of the console.
func TestOwnPath(t *testing.T) {
	for path, want := range map[string]string{
		"": "", "users/": "users/", "users/7/?done=saved": "users/7/?done=saved", "users/?search=a%2Fb": "users/?search=a%2Fb",
		"/evil.example": "", "//evil.example": "", "https://evil.example": "", "..": "", "users/../../api": "", "users\\..": "",
		"javascript:alert(1)": "", "sign-in/": "", "sign-out/": "", "sign-in/?next=sign-in/": "", "\x00": "",
	} {
		if got := ownPath(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "ann": "ann", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "'\rx", "\nx": "'\nx",
		"a=b": "a=b", "Мария": "Мария",
	} {
		if got := plainCell(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Each link to a further page of a list leads to the position that it was made from.
func TestPositions(t *testing.T) {
	p := user.Position{ID: "7", Email: "a&b@example.com", FirstName: "Zoë", LastName: "O'Neil", Joined: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)}
	for _, o := range orders {
		l, _ := parseUserList(url.Values{paramOrder: {o.param}, paramSearch: {"x y"}, paramFromID: {"1"}})
		if l.orderParam() != o.param {
			t.Errorf("%s: the list has the order %s", o.param, l.orderParam())
		}
		for _, back := range []bool{false, true} {
			query, err := url.ParseQuery(strings.TrimPrefix(l.at(p, back), "?"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := parsePosition(query, l.order)
			if err != nil || got == nil || got.Compare(p, l.order) != 0 || query.Get(paramBack) != "" != back || query.Get(paramSearch) != "x y" {
				t.Errorf("%s: %v gives %+v, %v", o.param, query, got, err)
			}
		}
	}
	for _, bad := range []url.Values{{paramFromID: {"x"}}, {paramFromID: {"7"}, paramFrom: {"yesterday"}}} {
		l, _ := parseUserList(bad)
		if _, err := parsePosition(bad, l.order); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// A change is sent with the fields that the visitor changed. Another change of the same page is found; the same change
// twice is none.
func TestChangedFields(t *testing.T) {
	stored := map[string]string{user.FieldEmail: "ann@example.com", user.FieldFirstName: "Ann", user.FieldLastName: "Other", user.FieldLocale: "de"}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.PostForm = url.Values{}
	for name, values := range map[string][2]string{
		user.FieldEmail: {"ann@example.com", "ann@example.com"}, user.FieldFirstName: {"Ann", "Anna"}, user.FieldLastName: {"Lee", "Lea"}, user.FieldLocale: {"", "de"},
	} {
		r.PostForm.Set(inputBefore+name, values[0])
		r.PostForm.Set(name, values[1])
	}
	in, conflicts := changedFields(r, stored)
	if in.Email.Present() || in.FirstName.Value() != "Anna" || in.LastName.Value() != "Lea" || in.Locale.Value() != "de" {
		t.Errorf("sent: %q %q %q %q", in.Email.Value(), in.FirstName.Value(), in.LastName.Value(), in.Locale.Value())
	}
	if !slices.Equal(conflicts, []string{user.FieldLastName}) {
		t.Errorf("conflicts: %v", conflicts)
	}
}

func TestEveryKindOfEventHasWords(t *testing.T) {
	for _, k := range audit.Kinds() {
		if eventTitles[k] == "" {
			t.Errorf("%s has no title", k)
		}
	}
	for _, kind := range fault.Kinds() {
		if statusOf[kind] == 0 {
			t.Errorf("kind %d has no status", kind)
		}
	}
}

func TestClientNames(t *testing.T) {
	for header, want := range map[string]string{
		"": "unknown client", "something": "something", "curl/8.5.0": "curl",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0":                                              "Firefox on Windows",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36":                  "Chrome on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15":         "Safari on macOS",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0": "Edge on Windows",
	} {
		if got := clientName(header); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}
