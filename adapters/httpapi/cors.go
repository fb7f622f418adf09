package httpapi

import (
	"net/http"

	"github.com/rs/cors"
)

// preflightMaxAge is how long browsers may keep the answer to a preflight, in seconds; Chromium keeps
// none for longer.
const preflightMaxAge = 7200

// allowedHeaders are the request headers that scripts may set: those that django-cors-headers allows, the
// conditions of RFC 9110, those that browsers' caches add, and those of tracing (W3C Trace Context and
// Baggage, Sentry). None of them does any harm, since tokens travel in Authorization.
var allowedHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Type", "DNT", "Origin", "User-Agent", "X-CSRFToken", "X-Requested-With",
	"If-Match", "If-None-Match", "Cache-Control", "Pragma",
	"traceparent", "tracestate", "baggage", "sentry-trace", "X-Request-Id",
}

// crossOrigin lets scripts of the configured origins use the API (CORS, the Fetch standard), and set
// headers beside those that are allowed anyway. Tokens
// travel in a header that scripts set themselves, so browsers are never told to send credentials of
// their own.
func withCORS(origins, headers []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions},
		AllowedHeaders: append(headers, allowedHeaders...),
		ExposedHeaders: []string{"ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "X-Request-Id"},
		MaxAge:         preflightMaxAge,
	}).Handler(next)
}
