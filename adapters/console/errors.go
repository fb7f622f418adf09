package console

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"roster/domain/fault"
	"roster/ports/inbound"
)

var (
	errNoPage  = fault.New(fault.NotFound, "no_page", "There is no such page.")
	errBadForm = fault.New(fault.Invalid, "bad_form", "The form is not readable. Go back and try again.")
	// errUnfinished is the error of a page that could not be written to its end; the client has gone.
	errUnfinished = errors.New("page not written")
)

// statusOf has the status codes of pages by the kind of the error that they show.
var statusOf = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusBadRequest,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Stale:           http.StatusPreconditionFailed,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.RateLimited:     http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// problem is an error in the words of a page.
type problem struct {
	status int
	title  string
	text   string
	fields []fault.Field
	retry  bool // the same request may succeed later
}

// explain returns what a page says about err and logs what only the operator may know.
func (s *server) explain(w http.ResponseWriter, r *http.Request, err error) problem {
	var failure *fault.Error
	if errors.Is(err, context.DeadlineExceeded) {
		err = fault.ErrUnavailable
	}
	if !errors.As(err, &failure) || failure.Kind == fault.Internal {
		if !errors.Is(err, context.Canceled) {
			s.log.Error("request failed", zap.Error(err), zap.String("request_id", inbound.OriginOf(r.Context()).RequestID))
		}
		return problem{
			status: http.StatusInternalServerError, title: "Server error", retry: true,
			text: "The service failed. Its log has the reason, beside the id " + inbound.OriginOf(r.Context()).RequestID + ".",
		}
	}
	p := problem{status: statusOf[failure.Kind], text: failure.Message, fields: failure.Fields}
	switch failure.Kind {
	case fault.NotFound:
		p.title = "Not found"
	case fault.Forbidden:
		p.title = "Not allowed"
	case fault.Conflict:
		p.title = "Not possible"
	case fault.Stale:
		p.title = "Changed in the meantime"
	case fault.RateLimited:
		p.title, p.retry = "Too many requests", true
		p.text = fmt.Sprintf("%s Try again %s.", or(failure.Message, "There were too many requests."), in(failure.RetryAfter))
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(failure.RetryAfter.Seconds())))))
	case fault.Unavailable:
		p.title, p.retry = "Not available", true
		p.text = "The service cannot reach its database, or has too much to do. Try again in a moment."
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(failure.RetryAfter.Seconds())))))
		s.log.Warn("request refused: service unavailable", zap.Error(err))
	case fault.Internal, fault.Invalid, fault.Unauthenticated:
		p.title = "Not valid"
	}
	return p
}

// in returns a duration as a phrase, rounded up.
func in(d time.Duration) string {
	switch n := int(math.Ceil(d.Seconds())); {
	case n <= 0:
		return "in a moment"
	case n == 1:
		return "in 1 second"
	case n < 120:
		return fmt.Sprintf("in %d seconds", n)
	default:
		return fmt.Sprintf("in %d minutes", (n+59)/60)
	}
}

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// fail answers a request with the page for err. A visitor that must sign in, again or at all, does not lose what it
// posted: the request goes on after that.
func (s *server) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	switch kind := fault.KindOf(err); {
	case errors.Is(err, errUnfinished):
		return
	case kind == fault.Unauthenticated && v.scripted:
		w.Header().Set("Hx-Redirect", string(v.to(signInPath+"?"+url.Values{inputNext: {v.nextPath(r)}}.Encode())))
		return
	case kind == fault.Unauthenticated && r.Method != http.MethodPost:
		_ = v.redirect(w, signInPath+"?"+url.Values{inputNext: {v.nextPath(r)}}.Encode(), "")
		return
	case kind == fault.Unauthenticated, errors.Is(err, inbound.ErrSignInAgain):
		err = s.askPassword(w, r, v, err)
	case errors.Is(err, errNotStaff):
		err = s.show(r.Context(), w, v, page{title: "Not for you", status: http.StatusForbidden, body: notStaff(v)})
	default:
		p := s.explain(w, r, err)
		err = s.show(r.Context(), w, v, page{title: p.title, status: p.status, body: errorPage(v, p)})
	}
	if err != nil && !errors.Is(err, errUnfinished) {
		s.log.Error("request failed", zap.Error(err))
	}
}

// plural returns a number of things in words.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
