package httpapi

import "net/http"

// serveJWKS publishes the public signing keys (RFC 7517). Scripts of every origin may read them.
func (s *server) serveJWKS(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if r.Method != http.MethodHead {
		_, _ = w.Write(s.jwks())
	}
}
