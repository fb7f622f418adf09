package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/zap"

	"roster/domain/fault"
)

// fail writes the response to err, as a problem document if the client accepts one.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := s.prepareFailure(w, r, err)
	if wantsProblem(r) {
		s.write(w, r, e.status, "application/problem+json", e.problemBody(infoOf(r)))
		return
	}
	switch {
	case e.own == nil:
		s.writeJSON(w, r, e.status, e.drfBody())
	case e.own.body == nil:
		s.writeBody(w, r, e.status, nil)
	default:
		s.writeJSON(w, r, e.status, e.own.body)
	}
}

// prepareFailure returns the response to err, sets its headers, and logs what only the operator may know.
func (s *server) prepareFailure(w http.ResponseWriter, r *http.Request, err error) errorResponse {
	e := explain(err)
	switch e.status {
	case http.StatusInternalServerError:
		s.log.Error("request failed", zap.Error(err), requestID(r))
	case http.StatusServiceUnavailable:
		s.log.Warn("request refused: service unavailable", zap.Error(err), requestID(r))
		if e.retryAfter <= 0 {
			e.retryAfter = time.Second
		}
	case http.StatusTooManyRequests:
		setExceededLimit(w, r, e)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", s.challenge(e))
	}
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(e.retryAfter)))
	}
	return e
}

// setExceededLimit puts the limit that refused r first in the RateLimit header, before those that did not, and into
// the log.
func setExceededLimit(w http.ResponseWriter, r *http.Request, e errorResponse) {
	if e.code == "" {
		return
	}
	limits := rateLimitItem(e.code, 0, e.retryAfter)
	if others := w.Header().Get("RateLimit"); others != "" {
		limits += ", " + others
	}
	w.Header().Set("RateLimit", limits)
	infoOf(r).limit = e.code
}

// challenge returns the WWW-Authenticate header of a 401 (RFC 6750, 3).
func (s *server) challenge(e errorResponse) string {
	plain := s.schemes()[0] + ` realm="api"`
	if s.PlainChallenge || e.code == "" {
		return plain
	}
	return plain + `, error="invalid_token"`
}

type tokenMessage struct {
	Class   string `json:"token_class"`
	Type    string `json:"token_type"`
	Message string `json:"message"`
}

// drfBody returns the body that DRF and SimpleJWT send.
func (e errorResponse) drfBody() any {
	if len(e.fields) > 0 {
		return fieldErrors(e.fields)
	}
	body := struct {
		Detail   string         `json:"detail"`
		Code     string         `json:"code,omitzero"`
		Messages []tokenMessage `json:"messages,omitempty"`
	}{Detail: e.detail}
	if e.status == http.StatusUnauthorized { // SimpleJWT sends a code, DRF does not
		body.Code = e.code
	}
	if e.tokenError != "" {
		body.Messages = []tokenMessage{{"AccessToken", "access", e.tokenError}}
	}
	return body
}

type problemField struct {
	Field   string `json:"field,omitzero"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// problemBody returns the problem details of RFC 9457.
func (e errorResponse) problemBody(info *requestInfo) any {
	p := struct {
		Type      string         `json:"type"`
		Title     string         `json:"title"`
		Status    int            `json:"status"`
		Detail    string         `json:"detail"`
		Code      string         `json:"code,omitzero"`
		Errors    []problemField `json:"errors,omitempty"`
		RequestID string         `json:"request_id"`
		TraceID   string         `json:"trace_id,omitzero"`
	}{"about:blank", http.StatusText(e.status), e.status, e.detail, e.code, nil, info.id, info.trace}
	if e.tokenError != "" {
		p.Detail = e.tokenError
	}
	for _, f := range e.fields {
		p.Errors = append(p.Errors, problemField{f.Name, f.Code, f.Message})
	}
	return p
}

// fieldErrors is {"member": ["message", ...], ...} in the order in which the members first occur.
type fieldErrors []fault.Field

// MarshalJSON keeps the order, which a map would lose.
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
		b.WriteByte("{,"[min(i, 1)])   // "{" before the first member, "," before the others
		b.Write(part[1 : len(part)-1]) // without its braces
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}
