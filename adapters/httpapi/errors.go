package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/zap"

	"roster/domain/fault"
	"roster/domain/session"
)

// status is the one place that turns kinds of failure into HTTP.
var status = map[fault.Kind]int{
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

// refusal is a failure of the transport itself, which the core knows nothing of. The texts are DRF's.
type httpError struct {
	status int
	detail string
}

func (r *httpError) Error() string { return r.detail }

var (
	errNotAcceptable = &httpError{http.StatusNotAcceptable, "Could not satisfy the request Accept header."}
	errNoRoute       = &httpError{http.StatusNotFound, "Not found."}
	errTooLarge      = &httpError{http.StatusRequestEntityTooLarge, "Request body too large."}
	errContentCoding = &httpError{http.StatusUnsupportedMediaType, "The content coding of the request body is not supported; send it as it is."}
	errNoData        = invalid("", "null", "No data provided")
	errInvalidPage   = fault.New(fault.NotFound, "invalid_page", "Invalid page.")
	errInvalidCursor = fault.New(fault.NotFound, "invalid_cursor", "Invalid cursor")

	// errAuthorization refuses an Authorization header that is not a scheme and a token.
	errAuthorization = fault.New(fault.Unauthenticated, "bad_authorization_header", "Authorization header must contain two space-delimited values")
)

// statusClientGone is for the log alone: nobody is there to read the answer (nginx's number).
const statusClientClosedRequest = 499

func errMethod(method string) error {
	return &httpError{http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", method)}
}

func errMediaType(header string) error {
	return &httpError{http.StatusUnsupportedMediaType, `Unsupported media type "` + strings.ToValidUTF8(header, "\uFFFD") + `" in request.`}
}

// errParse refuses a body that is not what its content type says.
func errParse(what, why string) error {
	return &httpError{http.StatusBadRequest, what + " parse error - " + why}
}

func invalid(name, code, message string) error {
	return fault.ErrInvalid.With(fault.Field{Name: name, Code: code, Message: message})
}

// badAccessToken is a token error met while authenticating a request, which SimpleJWT wraps.
type accessTokenError struct{ cause error }

func (b *accessTokenError) Error() string { return b.cause.Error() }
func (b *accessTokenError) Unwrap() error { return b.cause }

// answer is a failure in the terms of HTTP, before it is written in one of the two forms.
type answer struct {
	status     int
	detail     string
	code       string
	fields     []fault.Field
	retryAfter time.Duration
	inner      string // what is wrong with an access token
}

// explain turns any error into an answer. An error that no rule knows is a defect: its text stays
// here, in the log.
func explain(err error) answer {
	var (
		refused *httpError
		failure *fault.Error
		access  *accessTokenError
	)
	switch {
	case errors.As(err, &refused):
		return answer{status: refused.status, detail: refused.detail}
	case errors.As(err, &access) && errors.As(err, &failure) && failure.Code == session.ErrTokenInvalid.Code && !errors.Is(err, session.ErrNoUserClaim):
		return answer{
			status: status[failure.Kind], detail: "Given token not valid for any token type",
			code: failure.Code, inner: failure.Message,
		}
	case errors.As(err, &failure) && failure.Kind == fault.RateLimited:
		return answer{
			status: status[failure.Kind], detail: throttledDetail(failure.RetryAfter), code: failure.Code,
			retryAfter: failure.RetryAfter,
		}
	case errors.As(err, &failure) && failure.Kind != fault.Internal:
		return answer{
			status: status[failure.Kind], detail: failure.Message, code: failure.Code,
			fields: failure.Fields, retryAfter: failure.RetryAfter,
		}
	case errors.Is(err, context.Canceled):
		return answer{status: statusClientClosedRequest, detail: "The client went away."}
	case errors.Is(err, context.DeadlineExceeded):
		return answer{status: http.StatusServiceUnavailable, detail: fault.ErrUnavailable.Message, code: fault.ErrUnavailable.Code}
	}
	return answer{status: http.StatusInternalServerError, detail: "A server error occurred."}
}

// fail writes err as the answer to r, in the one form or the other, and logs what only the operator
// may know.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	a := explain(err)
	switch a.status {
	case http.StatusInternalServerError:
		s.log.Error("request failed", zap.Error(err), requestID(r))
	case http.StatusServiceUnavailable:
		s.log.Warn("request refused for now", zap.Error(err), requestID(r))
		if a.retryAfter <= 0 {
			a.retryAfter = time.Second
		}
	case http.StatusTooManyRequests:
		setExceededLimit(w, r, a)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", s.challenge(a))
	}
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(a.retryAfter)))
	}
	if wantsProblem(r) {
		s.write(w, r, a.status, "application/problem+json", a.problem(requestIDOf(r)))
		return
	}
	s.write(w, r, a.status, "application/json", a.drf())
}

// limited tells in the RateLimit header which limit refused r, beside those that did not, and
// remembers it for the log.
func setExceededLimit(w http.ResponseWriter, r *http.Request, a answer) {
	if a.code == "" {
		return
	}
	limits := limit(a.code, 0, a.retryAfter)
	if others := w.Header().Get("RateLimit"); others != "" {
		limits += ", " + others
	}
	w.Header().Set("RateLimit", limits)
	if rec, ok := r.Context().Value(requestKey).(*record); ok {
		rec.limit = a.code
	}
}

// challenge is the WWW-Authenticate of a 401 (RFC 6750, 3).
func (s *server) challenge(a answer) string {
	plain := s.schemes()[0] + ` realm="api"`
	if s.PlainChallenge || a.code == "" {
		return plain
	}
	return plain + `, error="invalid_token"`
}

type tokenMessage struct {
	Class   string `json:"token_class"`
	Type    string `json:"token_type"`
	Message string `json:"message"`
}

// drf is the body that DRF and SimpleJWT give.
func (a answer) drf() any {
	if len(a.fields) > 0 {
		return fieldErrors(a.fields)
	}
	body := struct {
		Detail   string         `json:"detail"`
		Code     string         `json:"code,omitzero"`
		Messages []tokenMessage `json:"messages,omitempty"`
	}{Detail: a.detail}
	if a.status == http.StatusUnauthorized { // SimpleJWT tells a code, plain DRF does not
		body.Code = a.code
	}
	if a.inner != "" {
		body.Messages = []tokenMessage{{"AccessToken", "access", a.inner}}
	}
	return body
}

type problemField struct {
	Field   string `json:"field,omitzero"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// problem is the body of RFC 9457.
func (a answer) problem(id string) any {
	p := struct {
		Type      string         `json:"type"`
		Title     string         `json:"title"`
		Status    int            `json:"status"`
		Detail    string         `json:"detail"`
		Code      string         `json:"code,omitzero"`
		Errors    []problemField `json:"errors,omitempty"`
		RequestID string         `json:"request_id"`
	}{"about:blank", http.StatusText(a.status), a.status, a.detail, a.code, nil, id}
	if a.inner != "" {
		p.Detail = a.inner
	}
	for _, f := range a.fields {
		p.Errors = append(p.Errors, problemField{f.Name, f.Code, f.Message})
	}
	return p
}

// fieldErrors is {"member": ["message", ...], ...} in the order in which the members came.
type fieldErrors []fault.Field

// MarshalJSON implements json.Marshaler; a map would lose the order.
func (fs fieldErrors) MarshalJSON() ([]byte, error) {
	var (
		names    []string
		messages = map[string][]string{}
	)
	for _, f := range fs {
		name := f.Name
		if name == "" {
			name = "non_field_errors"
		}
		if _, ok := messages[name]; !ok {
			names = append(names, name)
		}
		messages[name] = append(messages[name], f.Message)
	}
	var b strings.Builder
	for i, n := range names {
		part, err := json.Marshal(map[string][]string{n: messages[n]})
		if err != nil {
			return nil, err
		}
		b.WriteByte("{,"[min(i, 1)])
		b.Write(part[1 : len(part)-1])
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}
