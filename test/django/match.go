package django

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// mismatch describes the difference between an answer and the recorded one.
type mismatch struct{ text string }

func (m *mismatch) Error() string { return m.text }

func differ(format string, args ...any) error { return &mismatch{fmt.Sprintf(format, args...)} }

// shown returns a value as JSON, for messages.
func shown(v any) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// match compares a value with a template. extra lets objects have members that the template lacks;
// where is the position, for messages.
func (e vars) match(want, got any, extra bool, where string) error {
	switch want := want.(type) {
	case string:
		return e.matchText(want, got, where)
	case map[string]any:
		if op, arg, ok := operator(want); ok {
			return e.matchOperator(op, arg, got, extra, where)
		}
		return e.matchObject(want, got, extra, where)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return differ("%s: expected %s, got %s", where, shown(want), shown(got))
		}
		for i := range want {
			if err := e.match(want[i], list[i], extra, fmt.Sprintf("%s/%d", where, i)); err != nil {
				return err
			}
		}
		return nil
	default:
		if !same(want, got) {
			return differ("%s: expected %s, got %s", where, shown(want), shown(got))
		}
		return nil
	}
}

// matchText compares with a text of the template: a variable alone, a matcher, or a text to be equal to.
func (e vars) matchText(want string, got any, where string) error {
	if name, ok := alone(want); ok {
		value, ok := e[name]
		if !ok {
			return differ("variable %s was never captured", want)
		}
		if !same(value, got) && !sameText(value, got) {
			return differ("%s: expected %s = %s, got %s", where, want, shown(value), shown(got))
		}
		return nil
	}
	want, err := e.subst(want)
	if err != nil {
		return err
	}
	if kind, ok := strings.CutPrefix(want, "<<"); ok && strings.HasSuffix(kind, ">>") {
		return matchSpecial(strings.TrimSuffix(kind, ">>"), got, where)
	}
	if !same(want, got) {
		return differ("%s: expected %s, got %s", where, shown(want), shown(got))
	}
	return nil
}

// operator returns the operator and argument of a template such as {"$each": T}.
func operator(want map[string]any) (op string, arg any, ok bool) {
	for op, arg = range want {
	}
	return op, arg, len(want) == 1 && strings.HasPrefix(op, "$")
}

func (e vars) matchOperator(op string, arg, got any, extra bool, where string) error {
	list, ok := got.([]any)
	if !ok {
		return differ("%s: expected an array, got %s", where, shown(got))
	}
	switch op {
	case "$each":
		for i, item := range list {
			if err := e.match(arg, item, extra, fmt.Sprintf("%s/%d", where, i)); err != nil {
				return err
			}
		}
		return nil
	case "$contains":
		if slices.ContainsFunc(list, func(item any) bool { return e.match(arg, item, extra, where) == nil }) {
			return nil
		}
		return differ("%s: no element like %s", where, shown(arg))
	}
	return differ("%s: unknown operator %s", where, op)
}

func (e vars) matchObject(want map[string]any, got any, extra bool, where string) error {
	object, ok := got.(map[string]any)
	if !ok {
		return differ("%s: expected an object, got %s", where, shown(got))
	}
	missing, surplus := lacking(want, object), lacking(object, want)
	if len(missing) > 0 || len(surplus) > 0 && !extra {
		return differ("%s: missing members %q, unexpected members %q", where, missing, surplus)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if err := e.match(want[name], object[name], extra, where+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

// lacking returns the members of a that b does not have.
func lacking(a, b map[string]any) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[name]; !ok {
			out = append(out, name)
		}
	}
	return out
}

var (
	datetime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$`)
	jwt      = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)
)

// matchSpecial compares with a matcher, the text between << and >>.
func matchSpecial(kind string, got any, where string) error {
	text, isText := got.(string)
	_, isList := got.([]any)
	var ok bool
	switch {
	case kind == "any":
		ok = true
	case kind == "string":
		ok = isText
	case kind == "int":
		ok = isInt(got)
	case kind == "id":
		ok = isInt(got) || text != ""
	case kind == "jwt":
		ok = jwt.MatchString(text)
	case kind == "datetime":
		ok = datetime.MatchString(text)
	case kind == "datetime|null":
		ok = got == nil || datetime.MatchString(text)
	case kind == "url|null":
		ok = got == nil || isText
	case kind == "array":
		ok = isList
	case strings.HasPrefix(kind, "regex:"):
		re, err := regexp.Compile(kind[len("regex:"):])
		if err != nil {
			return err
		}
		ok = isText && re.MatchString(text)
	case strings.HasPrefix(kind, "url:"):
		ok = isText && sameURL(kind[len("url:"):], text)
	default:
		return differ("%s: unknown matcher <<%s>>", where, kind)
	}
	if !ok {
		return differ("%s: expected <<%s>>, got %s", where, kind, shown(got))
	}
	return nil
}

// isInt reports whether v is a number written without fraction and exponent.
func isInt(v any) bool {
	n, ok := v.(json.Number)
	return ok && !strings.ContainsAny(string(n), ".eE")
}

// same reports whether two decoded JSON values are equal; a whole number and a fraction never are.
func same(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		if !ok || isInt(a) != isInt(b) {
			return false
		}
		x, okx := new(big.Rat).SetString(string(a))
		y, oky := new(big.Rat).SetString(string(b))
		return okx && oky && x.Cmp(y) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, same)
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}

// sameText reports whether two texts or numbers have the same text: 7 and "7" do.
func sameText(a, b any) bool {
	plain := func(v any) (string, bool) {
		switch v := v.(type) {
		case string:
			return v, true
		case json.Number:
			return string(v), true
		}
		return "", false
	}
	x, okx := plain(a)
	y, oky := plain(b)
	return okx && oky && x == y
}

// sameURL compares the path and the query parameters in any order, and ignores scheme and host.
func sameURL(want, got string) bool {
	a, erra := url.Parse(want)
	b, errb := url.Parse(got)
	if erra != nil || errb != nil || a.EscapedPath() != b.EscapedPath() {
		return false
	}
	return maps.EqualFunc(a.Query(), b.Query(), slices.Equal[[]string])
}
