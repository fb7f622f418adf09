package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// proxyRequestID matches the ids that proxies make: nginx and Caddy in hexadecimal, Envoy and Traefik as UUIDs.
var proxyRequestID = regexp.MustCompile(`^[0-9A-Za-z._:+/=-]{1,128}$`)

// noRoute is the route of a request that no route matches.
const noRoute = "none"

// requestInfoKey is the key of a request's context under which its requestInfo is.
type requestInfoKey struct{}

// requestInfo has the members of a request's log line besides its method and response.
type requestInfo struct {
	id     string
	trace  string // id of the trace, "" if it is not recorded
	route  string // path template of the route, or noRoute
	client string // address it was sent from, see server.client
	actor  string // id of the authenticated user
	limit  string // name of the limit that refused it
}

// infoOf returns the information of r. It is empty on the admin handler, which logs no requests.
func infoOf(r *http.Request) *requestInfo {
	if info, ok := r.Context().Value(requestInfoKey{}).(*requestInfo); ok {
		return info
	}
	return &requestInfo{}
}

// requestID returns the log fields with the ids of r and of its trace.
func requestID(r *http.Request) zap.Field {
	info := infoOf(r)
	return zap.Inline(zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error {
		e.AddString("request_id", info.id)
		if info.trace != "" {
			e.AddString("trace_id", info.trace)
		}
		return nil
	}))
}

// fromProxy reports whether a trusted proxy sent r.
func (s *server) fromProxy(r *http.Request) bool {
	return len(s.TrustedProxies) > 0 && containsAddr(s.TrustedProxies, peer(r))
}

// requestID returns the id of r: the one in X-Request-Id if a trusted proxy sent r, or a new one.
func (s *server) requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id != "" && proxyRequestID.MatchString(id) && s.fromProxy(r) {
		return id
	}
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
