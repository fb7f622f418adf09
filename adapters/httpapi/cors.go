package httpapi

import (
	"net/http"
	"slices"

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

// withCORS lets scripts of the origins of the settings call next (CORS, the Fetch standard) and set headers besides
// allowedHeaders. Credentials mode, in which browsers send cookies, is on for BrowserOrigins alone: other scripts set the
// Authorization header themselves.
func (s *server) withCORS(next http.Handler) http.Handler {
	plain := corsFor(s.CORSOrigins, s.CORSHeaders, false, next)
	if len(s.BrowserOrigins) == 0 {
		return plain
	}
	credentials := corsFor(s.BrowserOrigins, s.CORSHeaders, true, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(s.BrowserOrigins, r.Header.Get("Origin")) {
			credentials.ServeHTTP(w, r)
			return
		}
		plain.ServeHTTP(w, r)
	})
}

func corsFor(origins, headers []string, credentials bool, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins:   origins,
		AllowCredentials: credentials,
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
		},
		AllowedHeaders: slices.Concat(headers, allowedHeaders),
		ExposedHeaders: []string{"ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "X-Request-Id"},
		MaxAge:         preflightMaxAge,
	}).Handler(next)
}
