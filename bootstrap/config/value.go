package config

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// parse returns text as a value of the setting, or the reason why it is none.
func (s Setting) parse(text string) (v any, reason string) {
	var err error
	switch reflect.Zero(s.typ).Interface().(type) {
	case time.Duration:
		v, err = time.ParseDuration(text)
	case bool:
		v, err = strconv.ParseBool(text)
	case int, int64:
		v, err = strconv.ParseInt(text, 10, s.typ.Bits())
	case Rate:
		if v, err = ParseRate(text); err != nil {
			return nil, err.Error() + s.not(text)
		}
	case Secret:
		if strings.ContainsRune(text, 0) {
			return nil, "must not hold NUL characters"
		}
		return NewSecret(text), ""
	case Database:
		if wrapped(text) {
			return nil, "has blanks, line feeds or quotes around it; remove them"
		}
		if v, err = ParseDatabase(text); err != nil {
			return nil, err.Error()
		}
	default:
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return nil, "must be UTF-8 text without control characters" + s.not(text)
		}
		if s.typ == reflect.TypeFor[List]() {
			return ParseList(text), ""
		}
		for _, choice := range s.Choices { // in any case: nothing else can be meant
			if strings.EqualFold(choice, text) {
				return choice, ""
			}
		}
		return text, ""
	}
	if err != nil {
		return nil, forms[s.Type].must + s.not(text)
	}
	return v, ""
}

// forms is what a value of each Type must be, in a file the type of its YAML node.
var forms = map[string]struct{ yaml, must string }{
	"text":     {"!!str", "must be text; put it in quotes"},
	"number":   {"!!int", "must be a whole number"},
	"duration": {"!!str", "must be a duration with its unit, such as 90s, 5m or 24h"},
	"bool":     {"!!bool", "must be true or false"},
}

// not returns what was given instead, when that may be shown.
func (s Setting) not(text string) string {
	const most = 40
	switch {
	case text == "" || s.Secret || strings.ContainsRune(text, '@'): // "@": it may be a URL with a password
		return ""
	case len(text) > most:
		return fmt.Sprintf(", not %q...", strings.ToValidUTF8(text[:most], ""))
	}
	return fmt.Sprintf(", not %q", text)
}

// show returns the form of a value that tables show: durations without the zero units of String, 5m and not 5m0s.
func show(v any) string {
	text := fmt.Sprint(v)
	if _, ok := v.(time.Duration); ok && strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
	}
	return text
}

func (c *Config) value(s Setting) any {
	return reflect.ValueOf(c).Elem().FieldByName(s.field).Interface()
}

func (c *Config) set(s Setting, v any) {
	reflect.ValueOf(c).Elem().FieldByName(s.field).Set(reflect.ValueOf(v).Convert(s.typ))
}

// List is several values of one setting, separated by commas or blanks; in a file also a list.
type List []string

// ParseList reads a list without its empty items.
func ParseList(text string) List {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// String returns the list as ParseList reads it.
func (l List) String() string { return strings.Join(l, ",") }

// AnyOrigin as an item of cors_origins allows the scripts of every site.
const AnyOrigin = "*"

// privateNetworks are the loopback addresses (RFC 1122, RFC 4291), private addresses (RFC 1918) and unique local
// addresses (RFC 4193).
var privateNetworks = List{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}

// Proxies returns the networks of trusted_proxies.
func (c Config) Proxies() []netip.Prefix {
	p, _ := networks(c.TrustedProxies)
	return p
}

// networks reads addresses, ranges and "private", which stands for privateNetworks.
func networks(items List) (out []netip.Prefix, ok bool) {
	for _, item := range items {
		if item == "private" {
			all, _ := networks(privateNetworks)
			out = append(out, all...)
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

// Rate is a number of requests in a period, such as 20/min. The zero value is no limit.
type Rate struct {
	Requests int
	Period   time.Duration
}

// periods are the units of a rate by their first letter, the only one that counts in Django REST Framework.
var periods = map[string]struct {
	name   string
	length time.Duration
}{
	"s": {"sec", time.Second}, "m": {"min", time.Minute}, "h": {"hour", time.Hour}, "d": {"day", 24 * time.Hour},
}

// rateText is DRF's NUMBER/PERIOD, without month, which DRF takes for a minute.
var rateText = regexp.MustCompile(`^([1-9][0-9]{0,8})/(?:(s)[a-z]*|(m)(?:in[a-z]*)?|(h)[a-z]*|(d)[a-z]*)$`)

var errRate = errors.New("must be a rate NUMBER/PERIOD, such as 10/min, 100/hour or 1000/day, or off")

// ParseRate reads a rate as DRF writes it; off and the empty text are no limit.
func ParseRate(text string) (Rate, error) {
	if text == "" || text == Off {
		return Rate{}, nil
	}
	m := rateText.FindStringSubmatch(text)
	if m == nil {
		return Rate{}, errRate
	}
	n, err := strconv.Atoi(m[1])
	return Rate{n, periods[m[2]+m[3]+m[4]+m[5]].length}, err
}

// Off reports whether there is no limit.
func (r Rate) Off() bool { return r == Rate{} }

// String returns the rate as ParseRate reads it.
func (r Rate) String() string {
	for _, p := range periods {
		if p.length == r.Period {
			return strconv.Itoa(r.Requests) + "/" + p.name
		}
	}
	return Off
}
