package httpapi

import (
	"net/url"
	"strings"
)

// query is the parameters of a URL. Of several of one name the last counts, as in Django's QueryDict.
type query url.Values

// parseQuery reads pairs apart by "&" as Python does: what is not rightly escaped stays as it is, and
// a semicolon is a character like others. net/url would drop such pairs.
func parseQuery(raw string) query {
	q := query{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name = unescape(name)
		q[name] = append(q[name], unescape(value))
	}
	return q
}

func unescape(s string) string {
	if t, err := url.QueryUnescape(s); err == nil {
		s = t
	} else {
		s = strings.ReplaceAll(s, "+", " ")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func (q query) get(name string) (value string, ok bool) {
	v := q[name]
	if len(v) == 0 {
		return "", false
	}
	return v[len(v)-1], true
}

// with returns the encoded parameters, sorted by name, with name set to value.
func (q query) with(name, value string) string {
	v := url.Values{}
	for n, vs := range q {
		v[n] = vs
	}
	v.Set(name, value)
	return v.Encode()
}

// without returns the encoded parameters, sorted by name, without name.
func (q query) without(name string) string {
	v := url.Values{}
	for n, vs := range q {
		if n != name {
			v[n] = vs
		}
	}
	return v.Encode()
}
