package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/felixge/httpsnoop"
	"github.com/gorilla/mux"
	"go.uber.org/zap"

	"roster/domain/audit"
	"roster/domain/session"
	"roster/ports/inbound"
)

type contextKey int

const (
	requestKey contextKey = iota
	localAddress
)

// record is what is known of a request for its line in the log.
type record struct {
	id     string
	client string // address that it comes from
	actor  string
	limit  string // name of the limit that refused it
}

// wrap puts around the router what holds for every request.
func (s *server) wrap(router *mux.Router) http.Handler {
	next := withCORS(s.CORSOrigins, s.CORSHeaders, router)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &record{id: newRequestID(), client: s.client(r)}
		ctx, cancel := context.WithTimeout(r.Context(), s.RequestTimeout)
		defer cancel()
		ctx = context.WithValue(ctx, requestKey, rec)
		if at, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr); ok {
			if ap, err := netip.ParseAddrPort(at.String()); err == nil {
				ctx = context.WithValue(ctx, localAddress, ap.Addr().Unmap())
			}
		}
		ctx = inbound.WithOrigin(ctx, inbound.Origin{
			Channel: audit.API, Client: session.Client{Address: rec.client, UserAgent: r.UserAgent()}, RequestID: rec.id,
		})
		r = r.WithContext(ctx)
		s.warnUntrustedProxy(r)
		s.setSecurityHeaders(w, r, rec.id)
		m := httpsnoop.CaptureMetricsFn(w, func(w http.ResponseWriter) { s.recoverPanic(w, r, next) })
		setExceededLimit := zap.Skip()
		if rec.limit != "" {
			setExceededLimit = zap.String("limit", rec.limit)
		}
		s.log.Info("request",
			zap.String("method", truncate(r.Method, 16)), zap.String("route", template(router, r)), zap.Int("status", m.Code),
			zap.Duration("duration", m.Duration.Truncate(time.Microsecond)), zap.Int64("bytes", m.Written),
			zap.String("client", rec.client), zap.String("user", rec.actor), zap.String("request_id", rec.id), setExceededLimit)
	})
}

// protect sets the headers that every answer carries: nothing is cached, sniffed, framed or run.
func (s *server) setSecurityHeaders(w http.ResponseWriter, r *http.Request, id string) {
	h := w.Header()
	h.Set("X-Request-Id", id)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if s.HSTSMaxAge > 0 && s.secure(r) { // never in the clear, where anybody could say so (RFC 6797, 7.2)
		h.Set("Strict-Transport-Security", fmt.Sprintf("max-age=%d; includeSubDomains", int64(s.HSTSMaxAge.Seconds())))
	}
	if len(r.TransferEncoding) > 0 {
		// A chunked request may also have come with a Content-Length, which net/http drops unseen;
		// the connection is not to be trusted further (RFC 9112, 6.1).
		h.Set("Connection", "close")
	}
}

var errPanic = errors.New("a handler panicked")

// recovered answers a panic like any other defect and keeps the process.
func (s *server) recoverPanic(w http.ResponseWriter, r *http.Request, next http.Handler) {
	defer func() {
		switch p := recover(); {
		case p == nil:
		case p == http.ErrAbortHandler: //nolint:errorlint,err113 // the very value, by net/http's contract
			panic(p)
		default:
			s.log.Error("panic", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()), requestID(r))
			if w.Header().Get("Content-Length") != "" {
				panic(http.ErrAbortHandler) // the answer has begun, and must not look whole
			}
			s.fail(w, r, errPanic)
		}
	}()
	next.ServeHTTP(w, r)
}

// template names the route that answered r. The path itself stays out of the log: it is the client's
// text, and may hold what the client should not have put there.
func template(router *mux.Router, r *http.Request) string {
	var m mux.RouteMatch
	if router.Match(r, &m) && m.Route != nil {
		if t, err := m.Route.GetPathTemplate(); err == nil {
			return t
		}
	}
	return "none"
}

func newRequestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

func requestIDOf(r *http.Request) string {
	if rec, ok := r.Context().Value(requestKey).(*record); ok {
		return rec.id
	}
	return ""
}

func requestID(r *http.Request) zap.Field { return zap.String("request_id", requestIDOf(r)) }

// note remembers for the log who is signed in.
func note(r *http.Request, a inbound.Actor) {
	if rec, ok := r.Context().Value(requestKey).(*record); ok && a.User != nil {
		rec.actor = string(a.User.ID())
	}
}

func truncate(s string, n int) string { return s[:min(len(s), n)] }
