package httpapi

import (
	"encoding/hex"
	"iter"
	"maps"
	"net/url"
	"strings"
)

// query holds the parameters of a URL. Of several with the same name the last counts, as in Django's QueryDict.
type query url.Values

// parseQuery parses the query of a URL. Bytes that are not UTF-8 become U+FFFD.
func parseQuery(raw string) query {
	q := query{}
	for name, value := range parsePairs(raw) {
		name = strings.ToValidUTF8(name, "\uFFFD")
		q[name] = append(q[name], strings.ToValidUTF8(value, "\uFFFD"))
	}
	return q
}

// parsePairs yields the names and values of a URL-encoded text as Python does: an invalid escape stays as it is, and
// a semicolon is no separator. net/url drops pairs with either.
func parsePairs(raw string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for pair := range strings.SplitSeq(raw, "&") {
			if pair == "" {
				continue
			}
			name, value, _ := strings.Cut(pair, "=")
			if !yield(unescape(name), unescape(value)) {
				return
			}
		}
	}
}

// unescape decodes each "+" and each "%" that two hexadecimal digits follow.
func unescape(s string) string {
	if !strings.ContainsAny(s, "+%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(s) && isHexDigit(s[i+1]) && isHexDigit(s[i+2]):
			b, _ := hex.DecodeString(s[i+1 : i+3])
			out = append(out, b...)
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func isHexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (q query) get(name string) (value string, ok bool) {
	v := q[name]
	if len(v) == 0 {
		return "", false
	}
	return v[len(v)-1], true
}

// with returns the parameters with name set to value, URL-encoded and sorted by name.
func (q query) with(name, value string) string {
	v := url.Values(maps.Clone(q))
	v.Set(name, value)
	return v.Encode()
}

// without returns the parameters except name, URL-encoded and sorted by name.
func (q query) without(name string) string {
	v := url.Values(maps.Clone(q))
	v.Del(name)
	return v.Encode()
}
