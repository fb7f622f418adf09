// Package httpapi serves the inbound ports over HTTP, as a Django REST Framework + SimpleJWT API does:
// same paths, same order of checks, same bodies. What the contract says of the wire is here and
// nowhere else.
package httpapi

import (
	"cmp"
	"net/netip"
	"time"

	"roster/domain/user"
)

// Pagination says how the list is cut into pages.
type Pagination string

// The kinds of pagination.
const (
	// PageNumbers is DRF's PageNumberPagination: ?page=, a count, links by number.
	PageNumbers Pagination = "page"
	// Mixed gives cursors, and page numbers to whoever asks for ?page=.
	Mixed Pagination = "mixed"
	// Cursors gives cursors alone: links that stay valid and complete while users come and go.
	Cursors Pagination = "cursor"
)

// FromHost as a Settings.PublicURL believes the Host header of each request.
const FromHost = "from-host"

// Settings is what a profile decides for the wire.
type Settings struct {
	Pagination        Pagination
	PageSize          int    // users a page
	MaxPageSize       int    // most users that a request may ask for with page_size; 0 to leave page_size alone
	PublicURL         string // base of links; FromHost; or "" to believe Host only where it names this machine
	MaxBody           int64  // most bytes of a request body
	RequestTimeout    time.Duration
	AcceptForms       bool // form and multipart bodies are taken, not JSON alone
	LegacyCharsets    bool // bodies in other charsets than UTF-8 are read as Django reads them; else they are refused
	LenientJSON       bool // as Python: the last of duplicate names counts, a number has a text
	PythonIntegers    bool // ids in a path are read as Python's int reads them: "007" is 7
	IntegerIDs        bool // ids are told as numbers in the description of a resource
	PlainChallenge    bool // WWW-Authenticate names the scheme only, as SimpleJWT; else also the error (RFC 6750)
	VerifyListed      bool // a blacklisted token at verification is a 400, as SimpleJWT; else a 401
	PasswordMaxLength int  // told in the description of a resource
	ConfirmPassword   bool // current_password is told in the description of a resource
	Throttling        Throttling
	TrustedProxies    []netip.Prefix // peers whose X-Forwarded-For and X-Forwarded-Proto are believed
	CORSOrigins       []string       // origins whose scripts may use the API; "*" alone for any
	CORSHeaders       []string       // request headers that they may set beside the usual ones
	Schemes           []string       // of the Authorization header, the first is told in challenges; none for Bearer
	ExactScheme       bool           // the case of a scheme counts, as for SimpleJWT
	PlainRedirects    bool           // a missing slash is told with 301 whatever the method, as Django does
	LoginField        string         // the member that sign-in reads the address from; "" for email
	HSTSMaxAge        time.Duration  // told to who comes over TLS (RFC 6797); 0 for not telling
}

func (s Settings) schemes() []string {
	if len(s.Schemes) == 0 {
		return []string{"Bearer"}
	}
	return s.Schemes
}

func (s Settings) loginField() string { return cmp.Or(s.LoginField, user.FieldEmail) }
