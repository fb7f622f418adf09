package httpapi

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/zap"

	"roster/ports/inbound"
)

// Ports is the conversations that the API carries.
type Ports struct {
	Accounts       inbound.Accounts
	Authentication inbound.Authentication
	Sessions       inbound.Sessions
	Trail          inbound.Trail
	Health         inbound.Health
}

type server struct {
	Ports
	Settings
	jwks         func() []byte
	throttles    []throttle
	log          *zap.Logger
	proxyWarning sync.Once
}

// New returns the API as a handler. jwks returns the JSON Web Key Set to publish (RFC 7517).
func New(p Ports, s Settings, jwks func() []byte, log *zap.Logger) (http.Handler, error) {
	throttles, err := newThrottles(s.Throttling, monotonicClock())
	if err != nil {
		return nil, err
	}
	srv := &server{Ports: p, Settings: s, jwks: jwks, throttles: throttles, log: log}
	return srv.wrap(srv.routes()), nil
}

// Limits of a connection, against clients that send or read slowly (ASVS 13.1; CWE-400).
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 45 * time.Second // a request may wait its turn to hash, then is answered
	idleTimeout       = 75 * time.Second
	maxHeaderBytes    = 16 << 10

	// Of HTTP/2, which is spoken over TLS only: as many requests at once as browsers make, and a client
	// that has gone without a word is noticed.
	maxStreams  = 32
	pingTimeout = 30 * time.Second
)

// NewServer returns the HTTP server that carries h for at most c.Most connections at once, which the listener
// has to see to.
func NewServer(h http.Handler, c Connections, log *zap.Logger) *http.Server {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		Protocols:         new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			SendPingTimeout:      pingTimeout,
			WriteByteTimeout:     pingTimeout,
		},
		ErrorLog: zap.NewStdLog(log.Named("http")),
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(true)
	newConnections(c, log).watch(srv)
	return srv
}

// write sends body as JSON. Nothing can be told to the client once this fails, so it is logged only.
func (s *server) write(w http.ResponseWriter, r *http.Request, code int, mediaType string, body any) {
	b, err := json.Marshal(body, jsontext.AllowInvalidUTF8(true)) // no stored byte can make an answer fail
	if err != nil {
		s.log.Error("encode answer", zap.Error(err), requestID(r))
		code, b = http.StatusInternalServerError, []byte(`{"detail":"A server error occurred."}`)
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		if _, err := w.Write(b); err != nil {
			s.log.Debug("client went away", zap.Error(err), requestID(r))
		}
	}
}

func (s *server) ok(w http.ResponseWriter, r *http.Request, code int, body any) {
	s.write(w, r, code, "application/json", body)
}
