package httpapi

import (
	"iter"
	"net/http"
	"strings"

	"github.com/gorilla/mux"
)

// negotiate refuses a request for a format other than JSON, in its Accept header, at the end of its path or in DRF's
// ?format=. As in DRF, weights do not matter: JSON is the only format.
func negotiate(r *http.Request, q query) error {
	f, ok := mux.Vars(r)["format"]
	if !ok {
		f, _ = q.get("format")
	}
	switch f {
	case "", "json":
	default:
		return errNoRoute
	}
	if len(r.Header.Values("Accept")) == 0 {
		return nil
	}
	for mediaType := range accepted(r) {
		main, sub, _ := strings.Cut(mediaType, "/")
		if (main == "application" || main == "*") && (sub == "json" || sub == "*" || sub == "problem+json") {
			return nil
		}
	}
	return errNotAcceptable
}

// wantsProblem reports whether the client accepts problem details (RFC 9457) by name.
func wantsProblem(r *http.Request) bool {
	for mediaType := range accepted(r) {
		if mediaType == "application/problem+json" {
			return true
		}
	}
	return false
}

// accepted yields the media types of the Accept header, in lower case and without parameters.
func accepted(r *http.Request) iter.Seq[string] {
	return func(yield func(string) bool) {
		for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
			mediaType, _, _ := strings.Cut(part, ";")
			if !yield(strings.ToLower(strings.TrimSpace(mediaType))) {
				return
			}
		}
	}
}
