package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"
)

// rules are the rules of validate tags, beside oneof, min and max.
var rules = map[string]struct {
	fits func(text string) bool // a value, or each item of a List; nil for a rule that the validator has
	must string
}{
	"required":      {nil, "must not be empty"},
	"gt":            {nil, "must not be empty"},
	"eq=off|listen": {nil, "must be an address HOST:PORT, such as 127.0.0.1:8001, or off"},
	"listen":        {isListen, "must be an address HOST:PORT, such as 127.0.0.1:8000"},
	"public_url": {isPublicURL,
		"must be empty, from-host, or a URL such as https://id.example.org without user, query and fragment"},
	"breached_passwords": {isBreachedPasswords,
		"must be off, a URL such as https://api.pwnedpasswords.com (http only for this machine; no user, query and fragment), " +
			"or the path of a file"},
	"traces_url": {isTracesURL, "must be off or the URL of an OTLP receiver, such as http://localhost:4318/v1/traces"},
	"proxy":      {isProxy, "must be addresses and ranges, such as 10.0.0.5,10.1.0.0/16 (with no bits beyond the range), or private"},
	"origin": {isOrigin, "must be origins as browsers send them, such as https://app.example.org or http://localhost:3000 " +
		"(lower case, no path, no default port), or only *"},
	"browser_origin": {func(text string) bool { return text != AnyOrigin && isOrigin(text) },
		"must be origins as browsers send them, such as https://app.example.org (lower case, no path, no default port), and not *"},
	"header_name": {token.MatchString, "must be names of header fields, such as X-Team"},
	"scheme":      {token.MatchString, "must be names of authentication schemes, such as Bearer,JWT"},
	"host":        {isHost, "must be host names, such as id.example.org"},
	"acme":        {isACME, "must be the https URL of an ACME server's directory"},
	"notice":      {choice(Notices), "must be of " + strings.Join(Notices, ", ")},
	"link_url": {isLinkURL, "must be empty or a URL of a page that has {uid} and {token}, or {key}, in it, such as " +
		"https://app.example.org/#/activate/{uid}/{token}"},
	"mount_path":    {isMountPath, "must be empty or a path such as /auth, outside of /api, /account and what else is served"},
	"djoser_option": {choice(DjoserOptions), "must be of " + strings.Join(DjoserOptions, ", ")},
	"cookie_name": {func(text string) bool {
		return token.MatchString(text) && !strings.HasSuffix(strings.ToLower(text), "roster")
	},
		"must be two names of cookies, such as my-app-auth,my-refresh-token"},
	"claim_name": {isClaimName, "must be user_id, sub or another name of letters, digits, _, - and . " +
		"that no other claim of a token has"},
}

// validate checks the validate tags of Config.
var validate = newValidator()

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	for tag, rule := range rules {
		if rule.fits == nil {
			continue
		}
		check := func(f validator.FieldLevel) bool {
			if items, ok := f.Field().Interface().(List); ok {
				return !slices.ContainsFunc(items, func(item string) bool { return !rule.fits(item) })
			}
			return rule.fits(f.Field().String())
		}
		if err := v.RegisterValidation(tag, check); err != nil {
			panic(err) // a tag that the validator reserves
		}
	}
	return v
}

// must returns what a rule of the setting asks for.
func (s Setting) must(tag string) string {
	if rule, ok := rules[tag]; ok {
		return rule.must
	}
	bound := func(text string) string {
		v, _ := s.parse(text)
		return show(v)
	}
	switch {
	case tag == "oneof":
		return "must be one of " + strings.Join(s.Choices, ", ")
	case s.least != "" && s.most != "":
		return fmt.Sprintf("must be between %s and %s", bound(s.least), bound(s.most))
	case s.least != "":
		return "must be at least " + bound(s.least)
	}
	return "must be at most " + bound(s.most) + " characters long" // no number has only a maximum
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)

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

// parseURL returns text as a URL of http or https. It reports whether that has a host, but no user, query and fragment.
func parseURL(text string) (u *url.URL, plain bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, false
	}
	return u, u.Hostname() != "" && u.User == nil && !strings.ContainsAny(text, "?#")
}

func isPublicURL(text string) bool {
	_, plain := parseURL(text)
	return text == "" || text == FromHost || plain
}

// BreachedURL returns the URL that breached_passwords is, nil when it is a path.
func BreachedURL(text string) *url.URL {
	u, _ := parseURL(text)
	return u
}

// isBreachedPasswords requires TLS: an attacker that changes the answers lets any password pass.
func isBreachedPasswords(text string) bool {
	u, plain := parseURL(text)
	if u == nil {
		return text != "" && !strings.Contains(text, "://")
	}
	return plain && (u.Scheme == "https" || loopback(u.Host))
}

func isTracesURL(text string) bool {
	_, plain := parseURL(text)
	return text == Off || plain
}

// isACME accepts the URL of an ACME server's directory; without TLS only on this machine, for tests.
func isACME(text string) bool {
	u, _ := parseURL(text)
	return u != nil && u.User == nil && u.Fragment == "" && (u.Scheme == "https" && u.Host != "" || u.Scheme == "http" && loopback(u.Host))
}

func isProxy(text string) bool {
	_, ok := networks(List{text})
	return ok
}

// isOrigin accepts an origin exactly as browsers send it (RFC 6454, 6.2), and AnyOrigin.
func isOrigin(text string) bool {
	if text == AnyOrigin {
		return true
	}
	u, plain := parseURL(text)
	if !plain || u.Scheme+"://"+u.Host != text || text != strings.ToLower(text) || strings.HasSuffix(u.Host, ":") {
		return false
	}
	_, err := netip.ParseAddr(u.Hostname())
	usual := u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" // browsers leave it out
	return (err == nil || hostName.MatchString(u.Hostname())) && !usual
}

// isHost accepts a name that a certificate can be for.
func isHost(text string) bool {
	_, err := netip.ParseAddr(text)
	return err != nil && hostName.MatchString(text) && strings.Contains(text, ".")
}

// token matches the name of a header field or of an authentication scheme (RFC 9110, 5.6.2).
var token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

var claimName = regexp.MustCompile(`^[0-9A-Za-z_.-]{1,64}$`)

// isClaimName accepts a name of a claim that has no other meaning.
func isClaimName(text string) bool {
	taken := func(other string) bool { return strings.EqualFold(text, other) }
	others := []string{"token_type", "exp", "iat", "nbf", "jti", "sid", "gen", "iss", "aud"}
	return claimName.MatchString(text) && !slices.ContainsFunc(others, taken) && (text == "sub" || !taken("sub"))
}

// loopback reports whether only this machine can reach an address, which may have a port.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}
