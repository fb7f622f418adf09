package django

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// vars has the decoded JSON values that a case has captured, by name.
type vars map[string]any

var (
	variable = regexp.MustCompile(`\{\{([A-Za-z0-9_.]+)\}\}`)
	whole    = regexp.MustCompile(`^\{\{([A-Za-z0-9_.]+)\}\}$`)
)

// alone returns the name of the variable if text is nothing but a variable.
func alone(text string) (string, bool) {
	m := whole.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// subst puts values in the place of variables: texts as they are, others as JSON.
func (e vars) subst(text string) (string, error) {
	var missing error
	out := variable.ReplaceAllStringFunc(text, func(ref string) string {
		value, ok := e[ref[2:len(ref)-2]]
		if !ok {
			missing = differ("variable %s was never captured", ref)
			return ""
		}
		if s, ok := value.(string); ok {
			return s
		}
		return shown(value)
	})
	return out, missing
}

// capture keeps parts of a JSON document: variable by pointer.
func (e vars) capture(doc any, parts map[string]string) error {
	for name, path := range parts {
		value, err := pointer(doc, path)
		if err != nil {
			return fmt.Errorf("capturing %s: %w", name, err)
		}
		e[name] = value
	}
	return nil
}

// pointer returns the part of doc that a JSON pointer names.
func pointer(doc any, path string) (any, error) {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		switch in := doc.(type) {
		case map[string]any:
			value, ok := in[part]
			if !ok {
				return nil, differ("no member %s in %s", part, shown(doc))
			}
			doc = value
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(in) {
				return nil, differ("no element %s in %s", part, shown(doc))
			}
			doc = in[i]
		default:
			return nil, differ("no %s in %s", part, shown(doc))
		}
	}
	return doc, nil
}

// number returns v as a whole or fractional number of seconds.
func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}
