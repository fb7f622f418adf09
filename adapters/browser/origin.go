package browser

import (
	"net/http"

	"roster/domain/fault"
)

// ErrCrossOrigin refuses a request that a page of another origin made.
var ErrCrossOrigin = fault.New(fault.Forbidden, "cross_origin", "Requests from pages of this origin are not allowed.")

// Origins are the origins whose pages may make requests that change something: the server's own and those of
// browser_origins.
type Origins struct{ protection *http.CrossOriginProtection }

// NewOrigins returns the origins: trusted, each as SCHEME://HOST[:PORT], and the server's own. It fails for a text of
// another form.
func NewOrigins(trusted ...string) (Origins, error) {
	o := Origins{http.NewCrossOriginProtection()}
	for _, origin := range trusted {
		if err := o.protection.AddTrustedOrigin(origin); err != nil {
			return Origins{}, err
		}
	}
	return o, nil
}

// Check fails with ErrCrossOrigin for a request of an unsafe method that a page of another origin made, even of a
// sibling host (see http.CrossOriginProtection). A safe method changes nothing, and without CORS the page cannot read
// the response.
func (o Origins) Check(r *http.Request) error {
	if o.protection.Check(r) != nil {
		return ErrCrossOrigin
	}
	return nil
}
