package httpapi

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/zap"
)

func (s *server) writeJSON(w http.ResponseWriter, r *http.Request, code int, body any) {
	s.write(w, r, code, "application/json", body)
}

// write sends body as JSON of a media type. A failure is only logged: the status has been sent by then.
func (s *server) write(w http.ResponseWriter, r *http.Request, code int, mediaType string, body any) {
	b, err := json.Marshal(body, jsontext.AllowInvalidUTF8(true)) // so that no stored text makes a response fail
	if err != nil {
		s.log.Error("encode response", zap.Error(err), requestID(r))
		code, b = http.StatusInternalServerError, []byte(`{"detail":"A server error occurred."}`)
	}
	w.Header().Set("Content-Type", mediaType)
	s.writeBody(w, r, code, b)
}

// writeBody sends body as it is. A failure is only logged.
func (s *server) writeBody(w http.ResponseWriter, r *http.Request, code int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		if _, err := w.Write(body); err != nil {
			s.log.Debug("client closed the connection", zap.Error(err), requestID(r))
		}
	}
}
