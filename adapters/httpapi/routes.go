package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"
)

// handler answers a request that passed the checks before it, or fails.
type handler func(w http.ResponseWriter, r *http.Request, c call) error

// route is one row of the table. The order of rows is the order of matching.
type route struct {
	path     string
	resource resource
}

// table is the whole API: every path, every method.
func (s *server) table() []route {
	return []route{
		{"/api/users/", resource{
			name: "User List", description: usersDescription, authenticate: true,
			open:     map[string]bool{http.MethodPost: true},
			throttle: scopeRegister,
			methods: []method{
				{http.MethodGet, s.listUsers}, {http.MethodPost, s.registerUser},
			},
			actions: s.usersActions,
		}},
		{"/api/users/me/", resource{
			name: "Me", description: meDescription, authenticate: true,
			methods: []method{
				{http.MethodGet, s.getUser}, {http.MethodPut, s.putUser}, {http.MethodPatch, s.patchUser}, {http.MethodDelete, s.deleteUser},
			},
			actions: s.userActions,
		}},
		{"/api/users/me/password/", resource{
			name: "Password", description: passwordDescription, authenticate: true,
			methods: []method{{http.MethodPost, s.changePassword}}, actions: describe(newPasswordFields),
		}},
		{"/api/users/{id:[^/.]+}/", resource{
			name: "User Instance", description: usersDescription, authenticate: true,
			methods: []method{
				{http.MethodGet, s.getUser}, {http.MethodPut, s.putUser}, {http.MethodPatch, s.patchUser}, {http.MethodDelete, s.deleteUser},
			},
			actions: s.userActions,
		}},
		{"/api/token/", resource{
			name: "Token Obtain Pair", description: obtainDescription,
			methods: []method{{http.MethodPost, s.signIn}}, actions: describe(obtainFields),
			throttle: scopeToken,
		}},
		{"/api/token/refresh/", resource{
			name: "Token Refresh", description: refreshDescription,
			methods: []method{{http.MethodPost, s.refresh}}, actions: describe(refreshFields),
			throttle: scopeToken,
		}},
		{"/api/token/verify/", resource{
			name: "Token Verify", description: verifyDescription,
			methods: []method{{http.MethodPost, s.verify}}, actions: describe(verifyFields),
			throttle: scopeToken,
		}},
		{"/api/token/blacklist/", resource{
			name: "Token Blacklist", description: blacklistDescription,
			methods: []method{{http.MethodPost, s.blacklist}}, actions: describe(blacklistFields),
			throttle: scopeToken,
		}},
		{"/api/sessions/", resource{
			name: "Session List", description: sessionsDescription, authenticate: true,
			methods: []method{{http.MethodGet, s.listSessions}, {http.MethodDelete, s.endSessions}}, actions: nothing,
		}},
		{"/api/sessions/{session:[0-9a-f]+}/", resource{
			name: "Session Instance", description: sessionDescription, authenticate: true,
			methods: []method{{http.MethodDelete, s.endSession}}, actions: nothing,
		}},
		{"/api/audit/", resource{
			name: "Audit Trail", description: auditDescription, authenticate: true,
			methods: []method{{http.MethodGet, s.listEvents}}, actions: nothing,
		}},
	}
}

// routes builds the router. Paths are not cleaned: that would redirect.
func (s *server) routes() *mux.Router {
	router := mux.NewRouter().SkipClean(true)
	for _, row := range s.table() {
		router.Handle(row.path, s.serve(row.resource))
		router.HandleFunc(strings.TrimSuffix(row.path, "/"), s.redirect)
	}
	router.HandleFunc("/livez", s.livez).Methods(http.MethodGet, http.MethodHead)
	router.HandleFunc("/readyz", s.readyz).Methods(http.MethodGet, http.MethodHead)
	router.HandleFunc("/.well-known/jwks.json", s.keys).Methods(http.MethodGet, http.MethodHead)
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNoRoute) })
	router.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", "GET, HEAD")
		s.fail(w, r, errMethod(r.Method))
	})
	return router
}

// redirect sends a path that only lacks its closing slash there, as Django's APPEND_SLASH, but, unless
// told to, with 308 where 301 would make clients repeat the request as a GET without its body (RFC 9110,
// 15.4.2). The target is a path on this host, below that of public_url: the client's Host has no say in it.
func (s *server) redirect(w http.ResponseWriter, r *http.Request) {
	target := r.URL.EscapedPath() + "/"
	if base, err := url.Parse(s.PublicURL); err == nil && base.Host != "" {
		target = strings.TrimSuffix(base.EscapedPath(), "/") + target
	}
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
