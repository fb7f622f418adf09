package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
)

// rules checks the validate tags of Config.
var rules = newRules()

func newRules() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	for tag, fits := range map[string]func(string) bool{
		"listen": isListen, "public_url": isPublicURL, "directory": isDirectory,
		"breached_passwords": isBreachedPasswords, "claim_name": isClaimName,
	} {
		if err := v.RegisterValidation(tag, func(f validator.FieldLevel) bool { return fits(f.Field().String()) }); err != nil {
			panic(err) // only an empty tag or a nil function
		}
	}
	for tag, fits := range map[string]func(List) bool{"proxies": isProxies, "origins": isOrigins, "hosts": isHosts, "header_names": isTokens, "schemes": isSchemes} {
		if err := v.RegisterValidation(tag, func(f validator.FieldLevel) bool {
			items, ok := f.Field().Interface().(List)
			return ok && fits(items)
		}); err != nil {
			panic(err) // a tag's name that the library does not take
		}
	}
	return v
}

// check judges the settings in force. where says what to look at for each. Those that broke a rule of
// their own are broken too, and of broken ones nothing more is said. unsigned is Sources.Unsigned.
func (c *Config) check(where map[string]string, broken map[string]bool, unsigned bool) Faults {
	var out Faults
	fault := func(name, reason string, others ...string) {
		for _, n := range append(others, name) {
			if broken[n] {
				return
			}
		}
		out = append(out, Fault{Key: name, Where: where[name], Reason: reason})
	}
	if failures, ok := errors.AsType[validator.ValidationErrors](rules.Struct(c)); ok {
		for _, f := range failures {
			s := specOfField(f.StructField())
			if other := specOfField(f.Param()); other.name != "" {
				fault(s.name, fmt.Sprintf("%s %s (%s)%s", comparison(f.Tag()), other.name, show(c.value(other)), s.not(show(f.Value()))), other.name)
				continue
			}
			reason := s.rule(f.Tag())
			if f.Tag() != "required" { // the value is empty, as the rule says
				reason += s.not(show(f.Value()))
			}
			fault(s.name, reason)
			broken[s.name] = true
		}
	}
	if c.AdminListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
		fault("admin_listen", "must not be the address of listen", "listen")
	}
	c.checkTLS(fault)
	c.checkSigning(fault, unsigned)
	return out
}

func (c *Config) checkTLS(fault func(name, reason string, others ...string)) {
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		fault("tls_key", "is needed with tls_cert", "tls_cert")
	case c.TLSKey != "" && c.TLSCert == "":
		fault("tls_cert", "is needed with tls_key", "tls_key")
	case c.TLSCert != "" && len(c.TLSAutocert) > 0:
		fault("tls_autocert", "cannot be given together with tls_cert", "tls_cert", "tls_key")
	}
}

// TLS reports whether the API is served over TLS.
func (c *Config) TLS() bool { return c.TLSCert != "" || len(c.TLSAutocert) > 0 }

func comparison(tag string) string {
	if strings.HasPrefix(tag, "gte") {
		return "must be at least"
	}
	return "must be at most"
}

// rule says what the rule that a value broke asks for.
func (s spec) rule(tag string) string {
	switch tag {
	case "oneof":
		return "must be one of " + strings.Join(s.choices, ", ")
	case "listen":
		return "must be an address HOST:PORT, such as 127.0.0.1:8000"
	case "eq=off|listen":
		return "must be an address HOST:PORT, such as 127.0.0.1:8001, or off"
	case "public_url":
		return "must be empty, from-host, or a URL such as https://id.example.org without user, query and fragment"
	case "breached_passwords":
		return "must be off, a URL such as https://api.pwnedpasswords.com (http for this machine alone, no user, query and fragment), or the path of a file"
	case "required":
		return "must not be empty"
	case "proxies":
		return "must be addresses and ranges, such as 10.0.0.5,10.1.0.0/16 (with no bits beyond the range), or private"
	case "origins":
		return "must be origins as browsers send them, such as https://app.example.org or http://localhost:3000 (lower case, no path, no usual port), or * alone"
	case "header_names":
		return "must be names of header fields, such as X-Team"
	case "schemes":
		return "must be names of authentication schemes, such as Bearer,JWT"
	case "claim_name":
		return "must be user_id, sub or another name that no other claim of a token has: letters, digits, _, - and . alone"
	case "hosts":
		return "must be host names, such as id.example.org"
	case "directory":
		return "must be the https URL of an ACME server's directory"
	}
	unit := ""
	if s.typ == typeText {
		unit = " characters long"
	}
	switch {
	case s.least != "" && s.most != "":
		return fmt.Sprintf("must be between %s and %s", s.bound(s.least), s.bound(s.most))
	case s.least != "":
		return "must be at least " + s.bound(s.least) + unit
	}
	return "must be at most " + s.bound(s.most) + unit
}

// bound spells the limit of a rule as values are shown.
func (s spec) bound(text string) string {
	if d, err := time.ParseDuration(text); err == nil && s.typ == typeDuration {
		return shortDuration(d)
	}
	return text
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)

// isBreachedPasswords requires TLS: an attacker that could change the answers could let any password pass.
func isBreachedPasswords(text string) bool {
	u, isURL := BreachedURL(text)
	if !isURL {
		return text != "" && !strings.Contains(text, "://")
	}
	return (u.Scheme == "https" || loopback(u.Host) || loopback(u.Hostname()+":80")) && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
}

// BreachedURL returns the URL that breached_passwords is, if it is one and no path.
func BreachedURL(text string) (u *url.URL, ok bool) {
	u, err := url.Parse(text)
	return u, err == nil && (u.Scheme == "https" || u.Scheme == "http")
}

func isListen(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return host == "" || err == nil || hostName.MatchString(host)
}

func isPublicURL(text string) bool {
	if text == "" || text == FromHost {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" &&
		u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" && !strings.HasSuffix(text, "#")
}

func trimSlashes(text string) string { return strings.TrimRight(text, "/") }
