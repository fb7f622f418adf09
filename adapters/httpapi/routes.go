package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"roster/domain/user"
	"roster/ports/inbound"
)

// route is a row of the route table.
type route struct {
	path     string
	resource resource
}

// userPath is the path of a user.
const userPath = "/api/users/{id:[^/.]+}/"

func (s *server) userMethods() []method {
	return []method{
		{http.MethodGet, s.getUser}, {http.MethodPut, s.putUser}, {http.MethodPatch, s.patchUser}, {http.MethodDelete, s.deleteUser},
	}
}

// routeTable is the whole API, without the paths of other services that it also answers. The first row that matches a
// path is used.
func (s *server) routeTable() []route {
	routes := []route{s.setPasswordRoute("/api/users/", s.linkForm())}
	if s.Links != nil {
		routes = append(routes, s.linkRoutes("/api/users/", s.linkForm())...)
		routes = append(routes, s.invitationRoutes(s.api())...)
	}
	if s.BrowserSessions != nil {
		routes = append(routes, route{"/api/session/", resource{
			name: "Browser Session", description: browserDescription, scope: scopeToken, postScope: true,
			methods: []method{
				{http.MethodGet, s.getBrowserSession}, {http.MethodPost, s.beginBrowserSession}, {http.MethodDelete, s.endBrowserSession},
			},
			actions: postActions(obtainFields),
		}})
	}
	return append(routes, []route{
		{"/api/users/", resource{
			name: "User List", description: usersDescription, authenticate: true,
			anonymous: map[string]bool{http.MethodPost: true}, scope: scopeRegister,
			methods: []method{{http.MethodGet, s.listUsers}, {http.MethodPost, s.registerUser}}, actions: s.usersActions,
		}},
		{"/api/users/me/", resource{
			name: "Me", description: meDescription, authenticate: true,
			methods: s.userMethods(), actions: s.userActions,
		}},
		{"/api/users/me/password/", resource{
			name: "Password", description: passwordDescription, authenticate: true,
			methods: []method{{http.MethodPost, s.changePassword}}, actions: postActions(newPasswordFields),
		}},
		{userPath, resource{
			name: "User Instance", description: usersDescription, authenticate: true,
			methods: s.userMethods(), actions: s.userActions,
		}},
		{userPath + "unlock/", post("Unlock", unlockDescription, false, "", nil, s.ofUser(
			func(ctx context.Context, a inbound.Actor, id user.ID) error {
				_, err := s.Accounts.Unlock(ctx, a, id)
				return err
			}), nil)},
		{"/api/token/", resource{
			name: "Token Obtain Pair", description: obtainDescription, scope: scopeToken,
			methods: []method{{http.MethodPost, s.signIn}}, actions: postActions(obtainFields),
		}},
		{"/api/token/refresh/", resource{
			name: "Token Refresh", description: refreshDescription, scope: scopeToken,
			methods: []method{{http.MethodPost, s.refresh}}, actions: postActions(refreshFields),
		}},
		{"/api/token/verify/", resource{
			name: "Token Verify", description: verifyDescription, scope: scopeToken,
			methods: []method{{http.MethodPost, s.verify}}, actions: postActions(verifyFields),
		}},
		{"/api/token/blacklist/", resource{
			name: "Token Blacklist", description: blacklistDescription, scope: scopeToken,
			methods: []method{{http.MethodPost, s.blacklist}}, actions: postActions(blacklistFields),
		}},
		{"/api/sessions/", resource{
			name: "Session List", description: sessionsDescription, authenticate: true,
			methods: []method{{http.MethodGet, s.listSessions}, {http.MethodDelete, s.endSessions}}, actions: noActions,
		}},
		{"/api/sessions/{session:[0-9a-f]+}/", resource{
			name: "Session Instance", description: sessionDescription, authenticate: true,
			methods: []method{{http.MethodDelete, s.endSession}}, actions: noActions,
		}},
		{"/api/audit/", resource{
			name: "Audit Trail", description: auditDescription, authenticate: true,
			methods: []method{{http.MethodGet, s.listEvents}}, actions: noActions,
		}},
	}...)
}

// The paths of probes.
const (
	livePath  = "/livez"
	readyPath = "/readyz"
)

// variablePattern matches the pattern of a variable in a path, up to the closing brace. A route is named without it.
var variablePattern = regexp.MustCompile(`:[^}]*}`)

// routes returns the router. It does not clean paths, since it would redirect to the cleaned path.
func (s *server) routes() *mux.Router {
	router := mux.NewRouter().SkipClean(true)
	handle := func(path string, h http.HandlerFunc) *mux.Route {
		route := variablePattern.ReplaceAllString(path, "}")
		return router.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			infoOf(r).route = route
			h(w, r)
		})
	}
	for _, row := range slices.Concat(s.routeTable(), s.djoserRoutes(), s.djRestAuthRoutes()) {
		handle(row.path, s.serve(row.resource))
		handle(strings.TrimSuffix(row.path, "/"), s.redirect)
	}
	if s.Docs != nil {
		s.documentationRoutes(handle)
	}
	if s.Links != nil {
		s.accountRoutes(handle)
	}
	handle(livePath, s.livez).Methods(http.MethodGet, http.MethodHead)
	handle(readyPath, s.readyz).Methods(http.MethodGet, http.MethodHead)
	handle("/.well-known/jwks.json", s.serveJWKS).Methods(http.MethodGet, http.MethodHead)
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNoRoute) })
	router.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", "GET, HEAD")
		s.fail(w, r, errMethod(r.Method))
	})
	return router
}

// redirect redirects a path without its closing slash to the path with it, as Django's APPEND_SLASH does. Methods other
// than GET and HEAD get 308, since clients may repeat a request as a GET without its body after a 301 (RFC 9110,
// 15.4.2); PlainRedirects keeps Django's 301. The target is a path below that of PublicURL. It names no host, since the
// client can forge the Host header.
func (s *server) redirect(w http.ResponseWriter, r *http.Request) {
	target := s.publicPath(r.URL.EscapedPath() + "/")
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", target)
	code := http.StatusPermanentRedirect
	if s.PlainRedirects || r.Method == http.MethodGet || r.Method == http.MethodHead {
		code = http.StatusMovedPermanently
	}
	w.WriteHeader(code)
}

// publicPath returns a path below that of PublicURL.
func (s *server) publicPath(path string) string {
	if base, err := url.Parse(s.PublicURL); err == nil && base.Host != "" {
		return strings.TrimSuffix(base.EscapedPath(), "/") + path
	}
	return path
}
