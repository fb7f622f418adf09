package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"go.uber.org/zap"
)

// requestInfoKey is the key of a request's context under which its requestInfo is.
type requestInfoKey struct{}

// requestInfo has the members of a request's log line besides its method and response.
type requestInfo struct {
	id     string
	route  string // path template of the route, "none" if no route matches
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

// requestID returns the log field with the id of r.
func requestID(r *http.Request) zap.Field { return zap.String("request_id", infoOf(r).id) }

func newRequestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
