package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"time"

	"roster/adapters/httpapi/openapi"
	"roster/domain/user"
)

// Pagination is how the user list is divided into pages.
type Pagination string

// The kinds of pagination.
const (
	// PageNumbers is DRF's PageNumberPagination: ?page=, a count, links by number.
	PageNumbers Pagination = "page"
	// CursorsOrPageNumbers is PageNumbers for a request with ?page=, and Cursors for others.
	CursorsOrPageNumbers Pagination = "mixed"
	// Cursors is DRF's CursorPagination: its links stay valid and complete while users are added and deleted.
	Cursors Pagination = "cursor"
)

// FromHost as Settings.PublicURL takes the base of links from the Host header of each request.
const FromHost = "from-host"

// The requests that are logged.
const (
	LogAll    = "all"
	LogErrors = "errors" // those with an answer of 400 or above
	LogNone   = "off"
)

// Answer is what is measured of a request that was answered.
type Answer struct {
	Route  string // the template of its path, such as /api/users/{id}/, or "none"
	Method string
	Status int
	Took   time.Duration
	Limit  string // the limit that refused it, "" for none
}

// Settings are the parts of the wire format that are configurable, and what is reported of requests.
type Settings struct {
	LogRequests string // LogAll unless given
	// Observe, unless nil, is called with each request: it returns the context to serve it with, the id of its trace, ""
	// for none, and a function to call with the answer. trusted says that a trusted proxy sent the request.
	Observe           func(r *http.Request, trusted bool) (_ context.Context, trace string, end func(Answer))
	Pagination        Pagination
	PageSize          int    // items per page
	MaxPageSize       int    // largest page_size a request may ask for; 0 to ignore page_size
	PublicURL         string // base of links; FromHost; or "" to use Host only if it names this machine
	MaxBody           int64  // largest request body, in bytes
	RequestTimeout    time.Duration
	AcceptForms       bool // accept URL-encoded and multipart forms beside JSON
	LegacyCharsets    bool // decode bodies in charsets other than UTF-8 as Django does, instead of refusing them
	LenientJSON       bool // as Python: the last of equal member names counts, a number has a text
	PythonIntegers    bool // parse ids in a path as Python's int does: "007" is 7
	IntegerIDs        bool // OPTIONS describes ids as integers
	PlainChallenge    bool // WWW-Authenticate is the scheme only, as in SimpleJWT, without the error (RFC 6750)
	BlacklistedIs400  bool // verifying a blacklisted token gives 400, as in SimpleJWT, instead of 401
	PasswordMaxLength int  // in the description of OPTIONS
	ConfirmPassword   bool // OPTIONS describes current_password
	MailMembers       bool // users have the members email_verified and locale
	Djoser            Djoser
	DjRestAuth        DjRestAuth
	Throttling        Throttling
	TrustedProxies    []netip.Prefix    // peers whose X-Forwarded-For and X-Forwarded-Proto are believed
	CORSOrigins       []string          // origins whose scripts may use the API; "*" alone for any
	BrowserOrigins    []string          // origins whose pages may use the cookie of a browser session
	CORSHeaders       []string          // request headers that scripts may set beside allowedHeaders
	Schemes           []string          // of the Authorization header; challenges name the first; Bearer if empty
	ExactScheme       bool              // compare schemes by case, as SimpleJWT does
	PlainRedirects    bool              // redirect to the path with a slash with 301 for every method, as Django does
	LoginField        string            // member that sign-in reads the email address from; "" for email
	HSTSMaxAge        time.Duration     // max-age of Strict-Transport-Security (RFC 6797); 0 to send none
	Docs              *openapi.Settings // of the description of the API; nil to serve neither it nor the pages for people
}

func (s Settings) schemes() []string {
	if len(s.Schemes) == 0 {
		return []string{"Bearer"}
	}
	return s.Schemes
}

func (s Settings) loginField() string { return cmp.Or(s.LoginField, user.FieldEmail) }
