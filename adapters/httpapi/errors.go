package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"roster/domain/fault"
	"roster/domain/session"
)

// statusOf maps the kinds of domain errors to HTTP status codes. No other code does.
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

// httpError is an error of HTTP itself, found before or outside of a use case. The texts are DRF's.
type httpError struct {
	status int
	detail string
}

func (e *httpError) Error() string { return e.detail }

var (
	errNotAcceptable = &httpError{http.StatusNotAcceptable, "Could not satisfy the request Accept header."}
	errNoRoute       = &httpError{http.StatusNotFound, "Not found."}
	errTooLarge      = &httpError{http.StatusRequestEntityTooLarge, "Request body too large."}
	errContentCoding = &httpError{
		http.StatusUnsupportedMediaType, "The content coding of the request body is not supported; send it as it is.",
	}
	errNoData        = invalid("", "null", "No data provided")
	errInvalidPage   = fault.New(fault.NotFound, "invalid_page", "Invalid page.")
	errInvalidCursor = fault.New(fault.NotFound, "invalid_cursor", "Invalid cursor")

	// errAuthorization refuses an Authorization header that is not a scheme and a token.
	errAuthorization = fault.New(fault.Unauthenticated, "bad_authorization_header",
		"Authorization header must contain two space-delimited values")
)

// statusClientClosedRequest appears in the log alone, since the client reads no response (nginx's code).
const statusClientClosedRequest = 499

func errMethod(method string) error {
	return &httpError{http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", method)}
}

func errMediaType(header string) error {
	return &httpError{http.StatusUnsupportedMediaType, `Unsupported media type "` + strings.ToValidUTF8(header, "\uFFFD") + `" in request.`}
}

// errParse refuses a body that does not have the syntax of its content type.
func errParse(what, why string) error {
	return &httpError{http.StatusBadRequest, what + " parse error - " + why}
}

func invalid(name, code, message string) error {
	return fault.ErrInvalid.With(fault.Field{Name: name, Code: code, Message: message})
}

// accessTokenError is the error of an access token that authenticates a request. SimpleJWT reports it in another form
// than that of a token in a body.
type accessTokenError struct{ cause error }

func (e *accessTokenError) Error() string { return e.cause.Error() }
func (e *accessTokenError) Unwrap() error { return e.cause }

// errorResponse is an error in terms of HTTP, before its body has a format.
type errorResponse struct {
	status     int
	detail     string
	code       string
	fields     []fault.Field
	retryAfter time.Duration
	tokenError string // reason that an access token is invalid
	own        *bodyError
}

// explain returns the response to any error. The text of an unexpected error is not part of it.
func explain(err error) errorResponse {
	var (
		httpErr  *httpError
		own      *bodyError
		failure  *fault.Error
		tokenErr *accessTokenError
	)
	switch {
	case errors.As(err, &own):
		e := explain(own.error)
		e.own = own
		return e
	case errors.As(err, &httpErr):
		return errorResponse{status: httpErr.status, detail: httpErr.detail}
	case errors.As(err, &tokenErr) && errors.As(err, &failure) && failure.Code == session.ErrTokenInvalid.Code &&
		!errors.Is(err, session.ErrNoUserClaim):
		return errorResponse{
			status: statusOf[failure.Kind], detail: "Given token not valid for any token type",
			code: failure.Code, tokenError: failure.Message,
		}
	case errors.As(err, &failure) && failure.Kind == fault.RateLimited:
		return errorResponse{
			status: statusOf[failure.Kind], detail: throttledDetail(failure.RetryAfter), code: failure.Code,
			retryAfter: failure.RetryAfter,
		}
	case errors.As(err, &failure) && failure.Kind != fault.Internal:
		return errorResponse{
			status: statusOf[failure.Kind], detail: failure.Message, code: failure.Code,
			fields: failure.Fields, retryAfter: failure.RetryAfter,
		}
	case errors.Is(err, context.Canceled):
		return errorResponse{status: statusClientClosedRequest, detail: "The client closed the connection."}
	case errors.Is(err, context.DeadlineExceeded):
		return errorResponse{status: http.StatusServiceUnavailable, detail: fault.ErrUnavailable.Message, code: fault.ErrUnavailable.Code}
	}
	return errorResponse{status: http.StatusInternalServerError, detail: "A server error occurred."}
}
