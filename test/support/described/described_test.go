package described

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func load(t *testing.T) *API {
	t.Helper()
	raw, err := os.ReadFile("../../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	api, err := Load(raw)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

const (
	id     = `"id":"01a22384-50f6-7981-a36c-03be88c259b9"`
	others = `"email":"a@example.com","first_name":"A","last_name":"B","is_active":true,"is_staff":false,"date_joined":"2026-11-28T18:56:43.766000Z","last_login":null,"email_verified":false,"locale":null`
	user   = "{" + id + "," + others + "}"
	known  = "X-Request-Id: d680a70a6d7072682ed1b21c\n"
	tagged = known + `ETag: "1"`
)

// A response passes as it is described, and each departure is found.
func TestCheckResponse(t *testing.T) {
	api := load(t)
	for name, c := range map[string]struct {
		request, header string
		status          int
		body, fault     string
	}{
		"a user":                 {"GET /api/users/me/", tagged, 200, user, ""},
		"an error":               {"GET /api/users/", known + `WWW-Authenticate: Bearer realm="api"`, 401, `{"detail":"x","code":"token_not_valid"}`, ""},
		"a method":               {"PUT /api/token/", known, 405, `{"detail":"x"}`, ""},
		"HEAD":                   {"HEAD /api/users/me/", tagged, 200, "", ""},
		"no such path":           {"GET /nothing", known, 404, `{"detail":"x"}`, ""},
		"a redirect":             {"GET /api/users", known, 301, "", ""},
		"a member is absent":     {"GET /api/users/me/", tagged, 200, "{" + others + "}", "id"},
		"a member too many":      {"GET /api/users/me/", tagged, 200, `{"x":1,` + id + "," + others + "}", `property "x" is unsupported`},
		"another type":           {"GET /api/users/me/", tagged, 200, `{"id":7,` + others + "}", "value must be a string"},
		"no UUID":                {"GET /api/users/me/", tagged, 200, `{"id":"7",` + others + "}", "uuid"},
		"no ETag":                {"GET /api/users/me/", known, 200, user, "ETag"},
		"a header too many":      {"GET /api/users/", known + "ETag: \"1\"\n", 400, `{"search":["x"]}`, "the header ETag is not described"},
		"another status":         {"GET /api/users/", known, 409, `{"detail":"x"}`, "status 409 is not described"},
		"another code":           {"GET /api/users/", known + `WWW-Authenticate: Bearer realm="api"`, 401, `{"detail":"x","code":"new"}`, "one of"},
		"another media type":     {"GET /api/users/me/", tagged + "\nContent-Type: text/html", 200, user, "text/html"},
		"an error of no form":    {"PUT /api/token/", known, 405, `{"error":"x"}`, "detail"},
		"a success without path": {"GET /api/nothing/", known, 200, `{}`, "no operation is described"},
	} {
		t.Run(name, func(t *testing.T) {
			method, path, _ := strings.Cut(c.request, " ")
			header := http.Header{"Content-Type": {"application/json"}}
			for line := range strings.Lines(c.header) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				header.Set(key, value)
			}
			want(t, api.CheckResponse(httptest.NewRequest(method, path, nil), c.status, header, []byte(c.body)), c.fault)
		})
	}
}

// A request passes as it is described, and each departure is found.
func TestCheckRequest(t *testing.T) {
	api := load(t)
	const whole = `{"email":"a@example.com","password":"four wide purple boats","first_name":"A","last_name":"B"}`
	for name, c := range map[string]struct{ request, body, fault string }{
		"a registration":      {"POST /api/users/", whole, ""},
		"a change":            {"PATCH /api/users/me/", `{"first_name":"A"}`, ""},
		"nothing to change":   {"PATCH /api/users/me/", "", ""},
		"a list":              {"GET /api/users/?page=2&is_active=true&page_size=10", "", ""},
		"a member is absent":  {"POST /api/users/", `{"email":"a@example.com"}`, "first_name"},
		"another type":        {"PATCH /api/users/me/", `{"first_name":7}`, "first_name"},
		"a long name":         {"PATCH /api/users/me/", `{"first_name":"` + strings.Repeat("x", 151) + `"}`, "maxLength"},
		"an odd parameter":    {"GET /api/users/?is_active=perhaps", "", "is_active"},
		"no body":             {"POST /api/token/", "", "value is required"},
		"an id that is no id": {"GET /api/users/x/", "", "uuid"},
	} {
		t.Run(name, func(t *testing.T) {
			method, path, _ := strings.Cut(c.request, " ")
			r := httptest.NewRequest(method, path, nil)
			r.Header.Set("Content-Type", "application/json")
			want(t, api.CheckRequest(r, []byte(c.body)), c.fault)
		})
	}
}

// want fails the test unless err says fault, or is nil for none.
func want(t *testing.T, err error, fault string) {
	t.Helper()
	if fault == "" && err != nil || fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
		t.Errorf("%v, want %q", err, fault)
	}
}

// A service at a port that another one had is asked for its own description.
func TestOfAnInstance(t *testing.T) {
	served := "one"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"openapi":"3.1.0","info":{"title":"`+served+`","version":"1"},"paths":{}}`)
	}))
	t.Cleanup(srv.Close)
	first, second := new(int), new(int)
	for _, c := range []struct {
		instance any
		serves   string
		want     string
	}{{first, "one", "one"}, {first, "two", "one"}, {second, "two", "two"}} {
		served = c.serves
		api, err := Of(c.instance, srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		if got := api.Document().Info.Title; got != c.want {
			t.Errorf("the description of %q, want %q", got, c.want)
		}
	}
}
