package httpapi

import (
	"net/http"

	"github.com/rs/cors"
)

// preflightMaxAge is the time that browsers may cache a preflight response, in seconds. It is the maximum of Chromium.
const preflightMaxAge = 7200

// allowedHeaders are the request headers that scripts may always set: those that django-cors-headers allows, the
// conditions of RFC 9110, those of browser caches, and those of tracing (W3C Trace Context and Baggage, Sentry).
// Only Authorization has a token, so the others grant nothing.
var allowedHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Type", "DNT", "Origin", "User-Agent",
	"X-CSRFToken", "X-Requested-With",
	"If-Match", "If-None-Match", "Cache-Control", "Pragma",
	"traceparent", "tracestate", "baggage", "sentry-trace", "X-Request-Id",
}

// withCORS lets scripts of the given origins call next (CORS, the Fetch standard) and set headers besides
// allowedHeaders. Credentials mode stays off: scripts set the Authorization header themselves.
func withCORS(origins, headers []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
		},
		AllowedHeaders: append(headers, allowedHeaders...),
		ExposedHeaders: []string{"ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "X-Request-Id"},
		MaxAge:         preflightMaxAge,
	}).Handler(next)
}
