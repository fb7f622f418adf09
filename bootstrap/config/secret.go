package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Secret is a text that no formatter and no encoder prints. It is behind a pointer, since fmt cannot
// call methods on unexported fields.
type Secret struct{ plain *string }

// NewSecret wraps plain.
func NewSecret(plain string) Secret { return Secret{&plain} }

// Reveal returns the text, "" when none was given.
func (s Secret) Reveal() string {
	if s.plain == nil {
		return ""
	}
	return *s.plain
}

// Set reports whether there is a text.
func (s Secret) Set() bool { return s.Reveal() != "" }

// PEM reports whether the text is a key in PEM (RFC 7468) rather than a secret to be taken as it is.
func (s Secret) PEM() bool { return strings.Contains(s.Reveal(), "-----BEGIN ") }

// Lines returns the lines of the text that are not empty.
func (s Secret) Lines() []string {
	return strings.FieldsFunc(s.Reveal(), func(r rune) bool { return r == '\n' || r == '\r' })
}

// String tells only whether the secret is there.
func (s Secret) String() string {
	if s.Set() {
		return "(set)"
	}
	return "(not set)"
}

// Format implements fmt.Formatter.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Database is the URL of the storage. It prints without its password.
type Database struct{ url *url.URL }

// ParseDatabase returns the database that raw names. The error never holds any of raw.
func ParseDatabase(raw string) (Database, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return Database{}, errNoURL
	case u.Scheme == "":
		return Database{}, errNoScheme
	}
	return Database{u}, nil
}

var (
	errNoURL    = fmt.Errorf("must be a URL (in its user name and password, write special characters as %%XX)")
	errNoScheme = fmt.Errorf("must be a URL with a scheme, such as sqlite: or postgres://")
)

// URL returns the whole URL, password and all.
func (d Database) URL() *url.URL {
	if d.url == nil {
		return &url.URL{}
	}
	u := *d.url
	return &u
}

// Scheme returns the name that picks the backend.
func (d Database) Scheme() string { return d.URL().Scheme }

const redacted = "xxxxx"

// secretOption is how connection options that are secrets are called by the drivers.
var secretOption = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|authmechanismproperties`)

// String returns the URL with everything hidden that may be a password.
func (d Database) String() string {
	u := d.URL()
	u.Opaque, u.Path = hideUserinfo(u.Opaque), hideUserinfo(u.Path)
	u.RawPath = ""
	if u.User != nil {
		if _, has := u.User.Password(); has {
			u.User = url.UserPassword(u.User.Username(), redacted)
		}
	}
	options := strings.Split(u.RawQuery, "&")
	for i, o := range options {
		if name, _, _ := strings.Cut(o, "="); secretOption.MatchString(name) {
			options[i] = name + "=" + redacted
		}
	}
	u.RawQuery = strings.Join(options, "&")
	return u.String()
}

// hideUserinfo hides user:password where a malformed URL has them in its path.
func hideUserinfo(path string) string {
	rest := strings.TrimLeft(path, "/")
	at := strings.LastIndexByte(rest, '@')
	if at < 0 || !strings.Contains(rest[:at], ":") {
		return path
	}
	return path[:len(path)-len(rest)] + redacted + rest[at:]
}

// secret reports whether printing the URL as it is would tell a secret.
func (d Database) secret() bool { return d.String() != d.URL().String() }

// Format implements fmt.Formatter.
func (d Database) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, d.String()) }

// MarshalText implements encoding.TextMarshaler.
func (d Database) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
