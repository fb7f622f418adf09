package browser

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"roster/domain/fault"
)

// The names of the cookie. Browsers accept the prefix __Host- only with Secure, with Path=/ and without Domain, so that
// neither a sibling host nor plain HTTP can set it (RFC 6265bis, 4.1.3.2).
const (
	Name      = "__Host-roster"
	LocalName = "roster" // over plain HTTP on the machine itself
)

// ErrInsecure refuses to set the cookie over a connection that others may read.
var ErrInsecure = fault.New(fault.Forbidden, "insecure_connection",
	"Signing in with a cookie needs HTTPS, or plain HTTP to localhost on this machine. Behind a proxy, name it in trusted_proxies "+
		"and let it send X-Forwarded-Proto.")

type (
	secureKey struct{}
	limitsKey struct{}
)

// WithTransport returns a copy of ctx that says whether the client of its request uses TLS, to this server or to a
// trusted proxy. Without it, the request counts as one without TLS.
func WithTransport(ctx context.Context, tls bool) context.Context {
	return context.WithValue(ctx, secureKey{}, tls)
}

// Limits count what a client did, and fail when it was too much.
type Limits struct{ SignIn, Mail func() error }

// WithLimits returns a copy of ctx with the limits of its client.
func WithLimits(ctx context.Context, l Limits) context.Context {
	return context.WithValue(ctx, limitsKey{}, l)
}

// CountMail counts a request that causes a mail, and fails as the limit of WithLimits does.
func CountMail(ctx context.Context) error {
	if l, ok := ctx.Value(limitsKey{}).(Limits); ok {
		return l.Mail()
	}
	return nil
}

// nameFor returns the name of the cookie on the connection of r, "" where none may be used.
func nameFor(r *http.Request) string {
	if tls, _ := r.Context().Value(secureKey{}).(bool); tls || r.TLS != nil {
		return Name
	}
	if isLocal(r) {
		return LocalName
	}
	return ""
}

// forwarded are the headers that proxies add. A proxy on this machine connects from a loopback address and may send the
// address of this server in Host, whatever its own clients use.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// isLocal reports whether r does not leave this machine: it comes from a loopback address, directly, and names one, as
// browsers on this machine do. An attacker can make another name resolve to a loopback address.
func isLocal(r *http.Request) bool {
	for _, name := range forwarded {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && isLoopback(peer) && IsLocalHost((&url.URL{Host: r.Host}).Hostname())
}

// IsLocalHost reports whether host is localhost or a loopback address.
func IsLocalHost(host string) bool { return strings.EqualFold(host, "localhost") || isLoopback(host) }

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// Read returns the value of the cookie that r has, "" for none. Of several with its name, none counts: the browser does
// not say which of them this server set.
func Read(r *http.Request) string { return ReadNamed(r, nameFor(r)) }

// ReadNamed is Read for a cookie with another name.
func ReadNamed(r *http.Request, name string) string {
	if name == "" || nameFor(r) == "" {
		return ""
	}
	cookies := r.CookiesNamed(name)
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}

// CheckTransport is for a sign-in, before the password is checked. It fails with ErrInsecure if the connection of r may not
// carry the cookie, and as the limit of WithLimits does.
func CheckTransport(r *http.Request) error {
	if nameFor(r) == "" {
		return ErrInsecure
	}
	if l, ok := r.Context().Value(limitsKey{}).(Limits); ok {
		return l.SignIn()
	}
	return nil
}

// Set sets the cookie in the response to r. It sets none where CheckTransport fails.
func Set(w http.ResponseWriter, r *http.Request, value string, expires time.Time) {
	SetNamed(w, r, nameFor(r), value, expires)
}

// SetNamed is Set for a cookie with another name.
func SetNamed(w http.ResponseWriter, r *http.Request, name, value string, expires time.Time) {
	set(w, r, http.Cookie{Name: name, Value: value, Expires: expires})
}

// Clear deletes the cookie in the browser that sent r.
func Clear(w http.ResponseWriter, r *http.Request) { ClearNamed(w, r, nameFor(r)) }

// ClearNamed is Clear for a cookie with another name.
func ClearNamed(w http.ResponseWriter, r *http.Request, name string) {
	set(w, r, http.Cookie{Name: name, MaxAge: -1})
}

func set(w http.ResponseWriter, r *http.Request, c http.Cookie) {
	usual := nameFor(r)
	if usual == "" {
		return
	}
	c.Path, c.HttpOnly, c.Secure, c.SameSite = "/", true, usual == Name, http.SameSiteLaxMode
	http.SetCookie(w, &c)
}
