package httpapi

import (
	"net/http"

	"github.com/rs/cors"
)

// preflightMaxAge is how long browsers may keep the answer to a preflight, in seconds; Chromium keeps
// none for longer.
const preflightMaxAge = 7200

// crossOrigin lets scripts of the configured origins use the API (CORS, the Fetch standard). Tokens
// travel in a header that scripts set themselves, so browsers are never told to send credentials of
// their own.
func crossOrigin(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions},
		AllowedHeaders: []string{"Accept", "Authorization", "Content-Type", "If-Match"},
		ExposedHeaders: []string{"ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "X-Request-Id"},
		MaxAge:         preflightMaxAge,
	}).Handler(next)
}
