package httpapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/felixge/httpsnoop"
	"go.uber.org/zap"

	"roster/domain/audit"
	"roster/domain/session"
	"roster/ports/inbound"
)

// wrap returns next with what every request needs: an id, a deadline, security headers, CORS, recovery from panics
// and a line in the log.
func (s *server) wrap(next http.Handler) http.Handler {
	next = withCORS(s.CORSOrigins, s.CORSHeaders, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := &requestInfo{id: newRequestID(), route: "none", client: s.client(r)}
		ctx, cancel := context.WithTimeout(r.Context(), s.RequestTimeout)
		defer cancel()
		ctx = context.WithValue(ctx, requestInfoKey{}, info)
		ctx = inbound.WithOrigin(ctx, inbound.Origin{
			Channel: audit.API, Client: session.Client{Address: info.client, UserAgent: r.UserAgent()}, RequestID: info.id,
		})
		r = r.WithContext(ctx)
		s.warnUntrustedProxy(r)
		s.setSecurityHeaders(w, r, info.id)
		m := httpsnoop.CaptureMetricsFn(w, func(w http.ResponseWriter) { s.recoverPanic(w, r, next) })
		limit := zap.Skip()
		if info.limit != "" {
			limit = zap.String("limit", info.limit)
		}
		s.log.Info("request",
			zap.String("method", truncate(r.Method, 16)), zap.String("route", info.route), zap.Int("status", m.Code),
			zap.Duration("duration", m.Duration.Truncate(time.Microsecond)), zap.Int64("bytes", m.Written),
			zap.String("client", info.client), zap.String("user", info.actor), zap.String("request_id", info.id), limit)
	})
}

// securityHeaders are those that are always the same. Responses share the values.
var securityHeaders = http.Header{
	"Cache-Control":           {"no-store"},
	"X-Content-Type-Options":  {"nosniff"},
	"X-Frame-Options":         {"DENY"},
	"Referrer-Policy":         {"same-origin"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
}

// setSecurityHeaders sets the headers of every response: browsers must not cache, sniff, frame or run it.
func (s *server) setSecurityHeaders(w http.ResponseWriter, r *http.Request, id string) {
	h := w.Header()
	h.Set("X-Request-Id", id)
	maps.Copy(h, securityHeaders)
	if s.HSTSMaxAge > 0 && s.overTLS(r) { // over TLS only: plain HTTP can be forged (RFC 6797, 7.2)
		h.Set("Strict-Transport-Security", fmt.Sprintf("max-age=%d; includeSubDomains", int64(s.HSTSMaxAge.Seconds())))
	}
	if len(r.TransferEncoding) > 0 {
		// A chunked request may have had a Content-Length too, which net/http drops. Such a request may be an
		// attempt at smuggling, so the connection must be closed (RFC 9112, 6.1).
		h.Set("Connection", "close")
	}
}

var errPanic = errors.New("a handler panicked")

// recoverPanic calls next. If next panics, it logs the stack and responds with 500, or aborts the response if it has
// begun.
func (s *server) recoverPanic(w http.ResponseWriter, r *http.Request, next http.Handler) {
	defer func() {
		switch p := recover(); {
		case p == nil:
		case p == http.ErrAbortHandler: //nolint:errorlint,err113 // net/http compares the value itself
			panic(p)
		default:
			s.log.Error("panic", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()), requestID(r))
			if w.Header().Get("Content-Length") != "" {
				panic(http.ErrAbortHandler) // the header is sent; a truncated body must not look complete
			}
			s.fail(w, r, errPanic)
		}
	}()
	next.ServeHTTP(w, r)
}

// truncate returns at most the first n bytes of s.
func truncate(s string, n int) string { return s[:min(len(s), n)] }
