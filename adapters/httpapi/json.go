package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/field"
)

// maxDepth is how deep the values of a JSON body may nest.
const maxDepth = 32

// maxDigits is how long a number may be (Python's limit for the conversion of int and str).
const maxDigits = 4300

// decodeJSON reads a body that is one JSON object. Member names match exactly and must differ. If lenient is set, it
// reads as Python's json does: the last of several equal names counts, and a number is its text, as in DRF's CharField.
func decodeJSON(cs charset, body []byte, lenient bool) (members, error) {
	text, ok := cs.decode(string(body))
	if !ok {
		return nil, errJSON("the body is not in its charset, UTF-8 unless its content type says otherwise")
	}
	if depth(text) > maxDepth {
		return nil, errJSON("nested too deeply")
	}
	options := json.JoinOptions(
		jsontext.AllowDuplicateNames(lenient),
		jsontext.AllowInvalidUTF8(true)) // lone surrogates: an error of their member, see unquote
	var values map[string]jsontext.Value
	err := json.Unmarshal([]byte(text), &values, options)
	if _, ok := errors.AsType[*json.SemanticError](err); ok { // not an object
		var value jsontext.Value
		if err = json.Unmarshal([]byte(text), &value, options); err == nil {
			return nil, invalid("", "invalid", fmt.Sprintf("Invalid data. Expected a dictionary, but got %s.", pythonKind(value)))
		}
	}
	syntax, _ := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, errJSON("a member is given twice")
	case syntax != nil:
		return nil, errJSON(fmt.Sprintf("malformed at byte %d", syntax.ByteOffset))
	case err != nil:
		return nil, errJSON("malformed")
	case values == nil:
		return nil, errNoData
	}
	object := make(members, len(values))
	for name, value := range values {
		if object[name], err = jsonMember(value, lenient); err != nil {
			return nil, err
		}
	}
	return object, nil
}

func errJSON(why string) error { return errParse("JSON", why) }

// depth returns how deep the arrays and objects of a JSON text nest.
func depth(text string) (deepest int) {
	open, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++ // the escaped character
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}

// jsonMember returns a value as a member. It fails for a number of more than maxDigits.
func jsonMember(value jsontext.Value, lenient bool) (field.Text, error) {
	switch value.Kind() {
	case jsontext.KindString:
		return field.Given(unquote(value)), nil
	case jsontext.KindNull:
		return field.Null(), nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return field.Bool(value.Kind() == jsontext.KindTrue), nil
	case jsontext.KindNumber:
		if len(value) > maxDigits {
			return field.Text{}, errJSON("a number is too long")
		}
		if lenient {
			return field.Given(pythonNumber(string(value))), nil
		}
	}
	return field.NotText(), nil
}

// unquote returns the text of a JSON string. A lone surrogate has no UTF-8 form; it becomes the three bytes that
// UTF-8 would use for its number (WTF-8), which field.Rule detects.
func unquote(raw jsontext.Value) string {
	if text, err := jsontext.AppendUnquote(nil, raw); err == nil {
		return string(text)
	}
	var out []byte
	for s := string(raw[1 : len(raw)-1]); s != ""; {
		r, n := rune(s[0]), 1
		if r == '\\' {
			if r, n = escape(s); utf16.IsSurrogate(r) {
				if low, m := escape(s[n:]); utf16.DecodeRune(r, low) != utf8.RuneError {
					r, n = utf16.DecodeRune(r, low), n+m
				}
			}
		} else if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s)
		}
		if utf16.IsSurrogate(r) {
			out = append(out, 0xE0|byte(r>>12&0x0F), 0x80|byte(r>>6&0x3F), 0x80|byte(r&0x3F))
		} else {
			out = utf8.AppendRune(out, r)
		}
		s = s[n:]
	}
	return string(out)
}

// escape returns the character of the escape sequence at the start of s, and its length, or 0, 0 if there is none.
func escape(s string) (rune, int) {
	if len(s) < 2 || s[0] != '\\' {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	if len(s) < 6 || s[1] != 'u' {
		return 0, 0
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	if err != nil {
		return 0, 0
	}
	return rune(n), 6
}

// pythonKind returns the name of Python's type for a JSON value that is no object.
func pythonKind(raw jsontext.Value) string {
	switch raw.Kind() {
	case jsontext.KindString:
		return "str"
	case jsontext.KindNumber:
		if bytes.ContainsAny(raw, ".eE") {
			return "float"
		}
		return "int"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "bool"
	case jsontext.KindNull:
		return "NoneType"
	}
	return "list"
}

// pythonNumber returns Python's str(json.loads(raw)).
func pythonNumber(raw string) string {
	if !strings.ContainsAny(raw, ".eE") {
		if raw == "-0" {
			return "0"
		}
		return raw
	}
	f, err := strconv.ParseFloat(raw, 64)
	switch {
	case err != nil && math.IsInf(f, 1):
		return "inf"
	case err != nil:
		return "-inf"
	}
	e := strconv.FormatFloat(f, 'e', -1, 64)
	exp, _ := strconv.Atoi(e[strings.IndexByte(e, 'e')+1:])
	if f != 0 && (exp < -4 || exp >= 16) {
		return e
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
