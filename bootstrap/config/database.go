package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Database is the URL of the storage. It is printed without its password.
type Database struct{ url *url.URL }

// ParseDatabase returns the database with the URL raw. The error holds nothing of raw.
func ParseDatabase(raw string) (Database, error) {
	u, err := url.Parse(raw)
	if err != nil {
		u, err = parseServers(raw)
	}
	switch {
	case err != nil:
		return Database{}, errNoURL
	case u.Scheme == "":
		return Database{}, errNoScheme
	case u.Host != "" && strings.Contains(u.EscapedPath(), "@"): // a slash in the password; the rest of it would be printed
		return Database{}, errNoURL
	}
	return Database{u}, nil
}

// server is a host with or without a port: a name, an address of IPv6, or the path of a socket with %2F for each slash.
const server = `(?:\[[0-9A-Fa-f:.]+(?:%25[\w.~-]+)?\]|[\pL\pN._%-]+)(?::\d+)?`

// serversURL splits a URL into scheme, user and password, servers, and the rest.
var serversURL = regexp.MustCompile(`^([^:]*)://(?:([^/]*)@)?(` + server + `(?:,` + server + `)*)([/?#].*)?$`)

// parseServers reads the URLs that drivers take and net/url does not: with several hosts of which the last has no port,
// or an IPv6 address; with sockets; and with ? or # in the password. Host of the result is all of them.
func parseServers(raw string) (*url.URL, error) {
	m := serversURL.FindStringSubmatch(raw)
	if m == nil {
		return nil, errNoURL
	}
	u, err := url.Parse(m[1] + "://host" + m[4])
	if err != nil {
		return nil, err
	}
	hosts, hostsErr := url.PathUnescape(m[3])
	name, password, has := strings.Cut(m[2], ":")
	name, nameErr := url.PathUnescape(name)
	password, passwordErr := url.PathUnescape(password)
	u.Host = hosts
	switch {
	case has:
		u.User = url.UserPassword(name, password)
	case name != "":
		u.User = url.User(name)
	}
	return u, errors.Join(hostsErr, nameErr, passwordErr)
}

var (
	errNoURL    = errors.New("must be a URL (in its user name and password, write special characters as %XX)")
	errNoScheme = errors.New("must be a URL with a scheme, such as sqlite: or postgres://")
)

// URL returns the URL with its password.
func (d Database) URL() *url.URL {
	if d.url == nil {
		return &url.URL{}
	}
	u := *d.url
	return &u
}

// Scheme returns the name that picks the backend.
func (d Database) Scheme() string { return d.URL().Scheme }

// InDataDir reports whether the database is a file in the data directory with the default name.
func (d Database) InDataDir() bool {
	u := d.URL()
	return u.Scheme == "sqlite" && u.Opaque == "" && u.Path == ""
}

const redacted = "xxxxx"

// secretOption matches the names of connection options that are secrets.
var secretOption = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|authmechanismproperties`)

// String returns the URL without anything that may be a password.
func (d Database) String() string {
	u := d.URL()
	u.Opaque, u.Path = hideUserinfo(u.Opaque), hideUserinfo(u.Path)
	u.RawPath = ""
	options := strings.Split(u.RawQuery, "&")
	for i, o := range options {
		if name, _, _ := strings.Cut(o, "="); secretOption.MatchString(name) {
			options[i] = name + "=" + redacted
		}
	}
	u.RawQuery = strings.Join(options, "&")
	if host, _, port := strings.Cut(u.Host, ":"); port && u.User == nil && strings.Contains(u.RawQuery+u.Fragment, "@") {
		// The port may be the beginning of a password with a ? or # in it.
		return u.Scheme + "://" + host + ":" + redacted
	}
	return u.Redacted()
}

// hideUserinfo hides user:password in the path of a malformed URL.
func hideUserinfo(path string) string {
	rest := strings.TrimLeft(path, "/")
	at := strings.LastIndexByte(rest, '@')
	if at < 0 || !strings.Contains(rest[:at], ":") {
		return path
	}
	return path[:len(path)-len(rest)] + redacted + rest[at:]
}

// unverified reports whether the server is on another machine and its certificate is not verified.
func (d Database) unverified() bool {
	u := d.URL()
	options := u.Query()
	remote := func(host string) bool { return host != "" && !strings.HasPrefix(host, "/") && !loopback(host) }
	if !slices.ContainsFunc(strings.Split(u.Host+","+options.Get("host"), ","), remote) {
		return false
	}
	switch u.Scheme {
	case "postgres", "postgresql":
		mode := options.Get("sslmode")
		return mode != "verify-full" && mode != "verify-ca" && (mode != "require" || options.Get("sslrootcert") == "")
	case "mongodb", "mongodb+srv":
		on := u.Scheme == "mongodb+srv"
		for _, name := range []string{"tls", "ssl"} {
			if options.Has(name) {
				on = options.Get(name) == "true"
			}
		}
		return !on || options.Get("tlsInsecure") == "true"
	}
	return false
}

// secret reports whether printing the URL as it is would show a secret.
func (d Database) secret() bool { return d.String() != d.URL().String() }

// Format prints String for every verb.
func (d Database) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, d.String()) }

// MarshalText returns String.
func (d Database) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
