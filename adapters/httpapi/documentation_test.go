package httpapi

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"

	"roster/adapters/httpapi/openapi"
)

// described is the settings of the description of a service with open registration.
func described() *openapi.Settings {
	return &openapi.Settings{
		Schemes: []string{"Bearer"}, LoginField: "email", Registration: "open", AccessPolicy: "directory",
		Pagination: "mixed", PageSize: 20, MaxPageSize: 100, PasswordMin: 8, PasswordMax: 1024, Forms: true, Rotation: true,
		MaxBody: 1024, Mail: true, AccessLifetime: time.Minute, RefreshLifetime: time.Hour,
	}
}

// tokens is how an operation uses an access token.
type tokens struct{ Taken, Needed bool }

// The description has every path and method of the service, and no other; and says which of them take a token.
func TestDescriptionHasEveryRoute(t *testing.T) {
	s := &server{Ports: Ports{Links: &fakeLinks{}}, Settings: Settings{Docs: described()}}
	served := map[string]tokens{}
	for _, row := range s.routeTable() {
		for _, m := range row.resource.methods {
			served[m.name+" "+variablePattern.ReplaceAllString(row.path, "}")] =
				tokens{row.resource.authenticate, row.resource.authenticate && !row.resource.anonymous[m.name]}
		}
	}
	inTable := len(served)
	for path := range routesBesides(t, s) {
		served["GET "+path] = tokens{}
	}
	if len(served) == inTable {
		t.Error("no route was found beside the table")
	}
	raw, err := openapi.Describe(*s.Docs)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw.JSON)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]tokens{}
	for path, item := range doc.Paths.Map() {
		for name, op := range item.Operations() {
			required := doc.Security
			if op.Security != nil {
				required = *op.Security
			}
			found[name+" "+path] = tokens{len(required) > 0, len(required) > 0 && !slices.ContainsFunc(required, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 })}
		}
		for _, variable := range regexp.MustCompile(`{([a-z]+)}`).FindAllStringSubmatch(path, -1) {
			if item.Parameters.GetByInAndName("path", variable[1]) == nil {
				t.Errorf("%s: %s is not described", path, variable[1])
			}
		}
	}
	if diff := cmp.Diff(served, found); diff != "" {
		t.Errorf("- served, + described:\n%s", diff)
	}
}

// routesBesides returns the paths of the router that are not in the route table, without redirects to them and without
// pages for people, which no program calls.
func routesBesides(t *testing.T, s *server) map[string]bool {
	t.Helper()
	paths, table := map[string]bool{}, map[string]bool{}
	for _, row := range s.routeTable() {
		table[row.path] = true
	}
	err := s.routes().Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		if !table[path] && !table[path+"/"] {
			paths[path] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(paths, func(path string, _ bool) bool { return paths[path+"/"] && path != "" })
	for _, page := range []string{
		"/", "/api/docs/", "/api/docs/{file}", "/.well-known/change-password", "/account/activate/", "/account/email/confirm/",
		"/account/email/undo/", "/account/files/{file}", "/account/password/new/", "/account/password/reset/",
	} {
		if !paths[page] {
			t.Errorf("%s is not served", page)
		}
		delete(paths, page)
	}
	maps.DeleteFunc(paths, func(path string, _ bool) bool {
		return strings.HasPrefix(path, "/account/") || path == "/.well-known/change-password"
	})
	return paths
}

// A browser finds a page at / and /api/. Programs get what they got before there was one, and at /api/ a list of the
// collections as the router of DRF gives it, except in a service that answers as the recorded one.
func TestFirstPage(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
	api := newTestAPI(t, Settings{Docs: described(), PublicURL: "https://id.example.org/accounts"}, fakeApp{})
	for path, link := range map[string]string{"/": `href="./api/docs/"`, "/api/": `href="../api/docs/"`} {
		got := api.send("GET", path, "", "Accept", browser)
		got.want(t, 200, "Content-Type", "text/html; charset=utf-8", "Cache-Control", "no-store")
		if !strings.Contains(got.body, link) || strings.Contains(got.body, "$") {
			t.Errorf("no %s in\n%s", link, got.body)
		}
		api.send("HEAD", path, "", "Accept", browser).want(t, 200, "Content-Type", "text/html; charset=utf-8")
	}
	for _, accept := range []string{"*/*", "application/json", "application/json, text/html;q=0.5"} {
		api.send("GET", "/", "", "Accept", accept).want(t, 404, "Content-Type", "application/json")
		got := api.send("GET", "/api/", "", "Accept", accept)
		got.want(t, 200, "Content-Type", "application/json")
		const base = `https://id.example.org/accounts/api/`
		if want := `{"users":"` + base + `users/","sessions":"` + base + `sessions/","audit":"` + base + `audit/","token":"` + base +
			`token/","schema":"` + base + `schema/","docs":"` + base + `docs/"}`; got.body != want {
			t.Errorf("body %s, want %s", got.body, want)
		}
	}
	api.send("POST", "/", "{}", "Accept", browser).want(t, 404)
	api.send("POST", "/api/", "{}").want(t, 405, "Allow", "GET, HEAD")
	api.send("GET", "/api/", "", "Accept", "image/png").want(t, 406)
	api.send("GET", "/api", "").want(t, 301, "Location", "/accounts/api/")

	recorded := described()
	recorded.DRF = true
	django := newTestAPI(t, Settings{Docs: recorded}, fakeApp{})
	django.send("GET", "/api/", "", "Accept", "application/json").want(t, 404)
	django.send("GET", "/api/", "", "Accept", browser).want(t, 200)
}

// The description comes as JSON or YAML, as the client asks, and once more only if it has changed.
func TestDescriptionForms(t *testing.T) {
	api := newTestAPI(t, Settings{Docs: described()}, fakeApp{})
	const asJSON, asYAML = "application/json", "application/yaml"
	for _, c := range []struct{ query, accept, want string }{
		{"", "*/*", asJSON},
		{"", "application/problem+json, application/json", asJSON},
		{"", "text/html,application/xml;q=0.9,*/*;q=0.8", asJSON},
		{"", "application/yaml", asYAML},
		{"", "application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"},
		{"", "application/vnd.oai.openapi", "application/vnd.oai.openapi"},
		{"?format=yaml", "application/json", asYAML},
		{"?format=json", "application/yaml", asJSON},
	} {
		got := api.send("GET", "/api/schema/"+c.query, "", "Accept", c.accept)
		got.want(t, 200, "Content-Type", c.want, "Cache-Control", "no-cache", "Vary", "Accept")
		first := "openapi: 3.1.0"
		if strings.HasSuffix(c.want, "json") {
			first = `{"openapi":"3.1.0"`
		}
		if !strings.HasPrefix(got.body, first) {
			t.Errorf("%s %s: %.60s", c.query, c.accept, got.body)
		}
		again := api.send("GET", "/api/schema/"+c.query, "", "Accept", c.accept, "If-None-Match", got.Header.Get("Etag"))
		again.want(t, 304)
	}
	api.send("GET", "/api/schema/", "", "Accept", "image/png").want(t, 406)
	api.send("GET", "/api/schema/?format=xml", "").want(t, 404)
	api.send("POST", "/api/schema/", "{}").want(t, 405, "Allow", "GET, HEAD")
	api.send("GET", "/api/schema", "").want(t, 301, "Location", "/api/schema/")
}

// The page loads files of its own host alone, which browsers keep, and which clients without gzip can read too.
func TestDocumentationFiles(t *testing.T) {
	api := newTestAPI(t, Settings{Docs: described()}, fakeApp{})
	page := api.send("GET", "/api/docs/", "", "Accept", "text/html")
	page.want(t, 200, "Content-Type", "text/html; charset=utf-8")
	policy := page.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("the policy is %s", policy)
	}
	files := regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page.body, -1)
	if len(files) != 6 {
		t.Errorf("%d files: %s", len(files), page.body)
	}
	for _, f := range files {
		path, ok := strings.CutPrefix(f[1], "../../api/docs/")
		if !ok {
			t.Errorf("%s is elsewhere", f[1])
		}
		got := api.send("GET", "/api/docs/"+path, "", "Accept-Encoding", "br, gzip;q=0.8")
		got.want(t, 200, "Cache-Control", "public, max-age=31536000, immutable")
		plain := api.send("GET", "/api/docs/"+path, "", "Accept-Encoding", "gzip;q=0, identity")
		plain.want(t, 200, "Content-Encoding", "")
		if zipped := strings.HasPrefix(path, "swagger") || strings.HasPrefix(path, "licences"); zipped {
			got.want(t, 200, "Content-Encoding", "gzip", "Vary", "Accept-Encoding")
			if len(plain.body) < 2*len(got.body) {
				t.Errorf("%s: %d bytes, compressed %d", path, len(plain.body), len(got.body))
			}
		}
		api.send("HEAD", "/api/docs/"+path, "").want(t, 200)
	}
	api.send("GET", "/api/docs/swagger-ui.css", "").want(t, 404)
	api.send("GET", "/api/docs/", "").want(t, 200)
}

// A service without documentation has none of its paths.
func TestNoDocumentation(t *testing.T) {
	api := newTestAPI(t, Settings{}, fakeApp{})
	for _, path := range []string{"/", "/api/", "/api", "/api/schema/", "/api/schema", "/api/docs/", "/api/docs"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			api.send(method, path, "", "Accept", "text/html, application/json").want(t, 404)
		}
	}
}
