package httpapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"

	"github.com/felixge/httpsnoop"
	"go.uber.org/zap"

	"roster/adapters/browser"
	"roster/domain/audit"
	"roster/domain/session"
	"roster/ports/inbound"
)

// wrap returns next with what every request needs: an id, a deadline, security headers, recovery from panics and a line in
// the log.
func (s *server) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := &requestInfo{id: s.requestID(r), route: noRoute, client: s.client(r)}
		ctx, end := r.Context(), func(Answer) {}
		if s.Observe != nil {
			ctx, info.trace, end = s.Observe(r, s.fromProxy(r))
		}
		ctx, cancel := context.WithTimeout(ctx, s.RequestTimeout)
		defer cancel()
		ctx = context.WithValue(ctx, requestInfoKey{}, info)
		ctx = inbound.WithOrigin(ctx, inbound.Origin{
			Channel: audit.API, Client: session.Client{Address: info.client, UserAgent: r.UserAgent()}, RequestID: info.id,
			Languages: r.Header.Get("Accept-Language"),
		})
		if s.takesCookies {
			ctx = browser.WithTransport(ctx, s.overTLS(r))
		}
		r = r.WithContext(ctx)
		s.warnUntrustedProxy(r)
		s.setSecurityHeaders(w, r, info.id)
		m := httpsnoop.CaptureMetricsFn(w, func(w http.ResponseWriter) { s.recoverPanic(w, r, next) })
		s.logRequest(r, info, m)
		end(Answer{info.route, r.Method, m.Code, m.Duration, info.limit})
	})
}

// logRequest writes the line of a request in the log, with a level of its own for answers that report a failure of the
// service. Requests of probes have none unless they fail. The path of a request is logged only where there is no route:
// it can hold anything.
func (s *server) logRequest(r *http.Request, info *requestInfo, m httpsnoop.Metrics) {
	level := zap.InfoLevel
	if m.Code >= http.StatusInternalServerError {
		level = zap.ErrorLevel
	}
	switch {
	case s.LogRequests == LogNone, s.LogRequests == LogErrors && m.Code < http.StatusBadRequest,
		(info.route == livePath || info.route == readyPath) && m.Code < http.StatusBadRequest:
		return
	}
	line := s.log.Check(level, "request")
	if line == nil {
		return
	}
	fields := make([]zap.Field, 0, 11)
	fields = append(fields, zap.String("method", truncate(r.Method, 16)), zap.String("route", info.route))
	if info.route == noRoute {
		fields = append(fields, zap.String("path", truncate(r.URL.Path, maxLoggedPath)))
	}
	fields = append(fields, zap.Int("status", m.Code), zap.Float64("duration_ms", float64(m.Duration.Microseconds())/1000),
		zap.Int64("bytes", m.Written), zap.String("client", info.client))
	if info.actor != "" {
		fields = append(fields, zap.String("user", info.actor))
	}
	fields = append(fields, zap.String("request_id", info.id))
	if info.trace != "" {
		fields = append(fields, zap.String("trace_id", info.trace))
	}
	if info.limit != "" {
		fields = append(fields, zap.String("limit", info.limit))
	}
	line.Write(fields...)
}

// maxLoggedPath is the most bytes of a path in the log.
const maxLoggedPath = 200

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
