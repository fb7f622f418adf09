package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"go.uber.org/zap"

	"roster/adapters/httpapi/pages"
)

// documentationRoutes adds the description of the API, the pages for people, and the list of the collections.
func (s *server) documentationRoutes(handle func(path string, h http.HandlerFunc) *mux.Route) {
	get := func(path string, h http.HandlerFunc) { handle(path, h).Methods(http.MethodGet, http.MethodHead) }
	handle("/", s.home)
	handle("/api/", s.home)
	get("/api/schema/", s.describe)
	get("/api/docs/", func(w http.ResponseWriter, r *http.Request) { s.writePage(w, r, pages.Docs()) })
	get("/api/docs/{file}", s.docsFile)
	for _, path := range []string{"/api", "/api/schema", "/api/docs"} {
		handle(path, s.redirect)
	}
}

// home serves the first page to a browser. Other clients get 404 at /, and at /api/ the list of the collections, as
// the router of DRF gives it.
func (s *server) home(w http.ResponseWriter, r *http.Request) {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case read && prefersHTML(r):
		root := ".."
		if r.URL.Path == "/" {
			root = "."
		}
		s.writePage(w, r, pages.Home(root, s.Links != nil))
	case r.URL.Path == "/" || s.Docs.DRF: // the recorded service has no list
		s.fail(w, r, errNoRoute)
	case !read:
		w.Header().Set("Allow", "GET, HEAD")
		s.fail(w, r, errMethod(r.Method))
	default:
		if err := negotiate(r, parseQuery(r.URL.RawQuery)); err != nil {
			s.fail(w, r, err)
			return
		}
		base := s.base(r)
		s.writeJSON(w, r, http.StatusOK, struct {
			Users    string `json:"users"`
			Sessions string `json:"sessions"`
			Audit    string `json:"audit"`
			Token    string `json:"token"`
			Schema   string `json:"schema"`
			Docs     string `json:"docs"`
		}{
			base + "/api/users/", base + "/api/sessions/", base + "/api/audit/", base + "/api/token/",
			base + "/api/schema/", base + "/api/docs/",
		})
	}
}

// prefersHTML reports whether a client names text/html in Accept, before any JSON. Browsers do.
func prefersHTML(r *http.Request) bool {
	for mediaType := range accepted(r) {
		switch mediaType {
		case "text/html":
			return true
		case "application/json", "application/problem+json":
			return false
		}
	}
	return false
}

func (s *server) writePage(w http.ResponseWriter, r *http.Request, page []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pages.ContentSecurityPolicy)
	h.Add("Vary", "Accept")
	s.writeBody(w, r, http.StatusOK, page)
}

func (s *server) docsFile(w http.ResponseWriter, r *http.Request) {
	f, ok := pages.FileNamed(mux.Vars(r)["file"])
	s.writeFile(w, r, f, ok)
}

// writeFile serves a file of a page, or 404 unless ok. Its name changes with its content, so browsers keep it.
func (s *server) writeFile(w http.ResponseWriter, r *http.Request, f pages.File, ok bool) {
	if !ok {
		s.fail(w, r, errNoRoute)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if !f.Gzipped {
		s.writeBody(w, r, http.StatusOK, f.Body)
		return
	}
	h.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		s.writeBody(w, r, http.StatusOK, f.Body)
		return
	}
	if r.Method != http.MethodHead {
		if err := f.Plain(w); err != nil {
			s.log.Debug("client closed the connection", zap.Error(err), requestID(r))
		}
	}
}

// acceptsGzip reports whether the client accepts the content coding gzip (RFC 9110, 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		weight, _ := strings.CutPrefix(strings.TrimSpace(params), "q=")
		return strings.Trim(weight, "0.") != "" || weight == ""
	}
	return false
}

// describe serves the OpenAPI description of the service. It is made when the first client asks for it.
func (s *server) describe(w http.ResponseWriter, r *http.Request) {
	mediaType, err := descriptionType(r, parseQuery(r.URL.RawQuery))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	doc, err := s.description()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	body := doc.YAML
	if strings.HasSuffix(mediaType, "json") {
		body = doc.JSON
	}
	digest := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept")
	h.Set("ETag", `"`+hex.EncodeToString(digest[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body)) // for If-None-Match
}

// descriptionType returns the media type in which the client wants the description: ?format= counts before Accept.
func descriptionType(r *http.Request, q query) (string, error) {
	switch f, _ := q.get("format"); f {
	case "json":
		return "application/json", nil
	case "yaml":
		return "application/yaml", nil
	case "":
	default:
		return "", errNoRoute
	}
	if len(r.Header.Values("Accept")) == 0 {
		return "application/json", nil
	}
	for mediaType := range accepted(r) {
		switch mediaType {
		case "application/json", "*/*", "application/*", "application/problem+json":
			return "application/json", nil
		case "application/yaml", "application/vnd.oai.openapi", "application/vnd.oai.openapi+json":
			return mediaType, nil
		}
	}
	return "", errNotAcceptable
}
