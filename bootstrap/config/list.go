package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// List is several values of one setting, apart by commas or blanks, in a file also as a list.
type List []string

// ParseList reads a list. Empty items do not count.
func ParseList(text string) List {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// String returns the list as ParseList reads it.
func (l List) String() string { return strings.Join(l, ",") }

// AnyOrigin as an item of cors_origins allows the scripts of every site.
const AnyOrigin = "*"

// privateNetworks is what "private" among trusted_proxies stands for: loopback (RFC 1122, RFC 4291),
// private addresses (RFC 1918) and unique local ones (RFC 4193).
var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fc00::/7"),
}

const private = "private"

// Proxies returns the addresses of trusted_proxies.
func (c *Config) Proxies() []netip.Prefix {
	p, _ := networks(c.TrustedProxies)
	return p
}

// networks reads addresses, ranges and "private".
func networks(items List) (out []netip.Prefix, ok bool) {
	for _, item := range items {
		if item == private {
			out = append(out, privateNetworks...)
			continue
		}
		if addr, err := netip.ParseAddr(item); err == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(item)
		if err != nil || p.Addr().Is4In6() || p != p.Masked() { // bits beyond the range: a mistake
			return nil, false
		}
		out = append(out, p)
	}
	return out, true
}

func isProxies(items List) bool {
	_, ok := networks(items)
	return ok
}

// isOrigins reports whether each item is an origin exactly as browsers send it (RFC 6454, 6.2), or the
// only one is AnyOrigin.
func isOrigins(items List) bool {
	if slices.Equal(items, List{AnyOrigin}) {
		return true
	}
	return !slices.ContainsFunc(items, func(item string) bool { return !isOrigin(item) })
}

func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Scheme+"://"+u.Host != text || text != strings.ToLower(text) {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	usual := u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" // browsers leave it out
	return (err == nil || hostName.MatchString(u.Hostname())) && !usual && !strings.HasSuffix(u.Host, ":")
}

// isHosts reports whether each item is a name that a certificate can be for.
func isHosts(items List) bool {
	return !slices.ContainsFunc(items, func(item string) bool {
		_, err := netip.ParseAddr(item)
		return err == nil || !hostName.MatchString(item) || !strings.Contains(item, ".")
	})
}

// isDirectory reports whether text is the URL of an ACME server's directory; without TLS only on this
// very machine, for tests.
func isDirectory(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.User == nil && u.Fragment == "" && (u.Scheme == "https" && u.Host != "" || u.Scheme == "http" && loopback(u.Hostname()))
}

// token is what a header field or an authentication scheme may be called (RFC 9110, 5.6.2).
var token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func isTokens(items List) bool {
	return !slices.ContainsFunc(items, func(item string) bool { return !token.MatchString(item) })
}

func isSchemes(items List) bool { return len(items) > 0 && isTokens(items) }

var claimName = regexp.MustCompile(`^[0-9A-Za-z_.-]{1,64}$`)

// isClaimName reports whether the user's id can be in a claim of that name: one that has no other meaning.
func isClaimName(text string) bool {
	taken := func(other string) bool { return strings.EqualFold(text, other) }
	others := []string{"token_type", "exp", "iat", "nbf", "jti", "sid", "gen", "iss", "aud"}
	return claimName.MatchString(text) && !slices.ContainsFunc(others, taken) && (text == "sub" || !taken("sub"))
}
