package httpapi

import (
	"net/http"
	"time"

	"go.uber.org/zap"
)

// Limits of a connection, against clients that send or read slowly (ASVS 13.1; CWE-400).
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 45 * time.Second // includes the wait for a free place to hash a password
	idleTimeout       = 75 * time.Second
	maxHeaderBytes    = 16 << 10

	// HTTP/2, which is offered over TLS only: as many concurrent requests as browsers make, and how soon a
	// connection counts as lost.
	maxStreams  = 32
	pingTimeout = 30 * time.Second
)

// NewServer returns an HTTP server of h that keeps its connections within c. Its listener must accept at most c.Max of
// them at once.
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
	newConnections(c, log).track(srv)
	return srv
}
