package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/field"
)

// maxDepth is how deep a JSON body may nest.
const maxDepth = 32

// maxDigits is the longest number that is read, the limit that Python sets itself.
const maxDigits = 4300

// decodeJSON reads one JSON object, strictly: no duplicate names, bounded depth, nothing after
// it. Names match exactly. Lenient is as Python's json: the last of duplicates counts, and a number
// stands for its text, as DRF's CharField takes it.
func decodeJSON(charset charset, body []byte, lenient bool) (members, error) {
	text, ok := charset.decode(string(body))
	if !ok {
		return nil, errJSON("the body is not in its charset, UTF-8 unless its content type says otherwise")
	}
	d := &jsonDecoder{
		Decoder: jsontext.NewDecoder(strings.NewReader(text),
			jsontext.AllowDuplicateNames(lenient),
			jsontext.AllowInvalidUTF8(true)), // that is lone surrogates, which are told by member
		lenient: lenient,
	}
	object, kind, err := d.document()
	if err != nil {
		return nil, d.explain(err)
	}
	switch kind {
	case "dict":
		return object, nil
	case "NoneType":
		return nil, errNoData
	}
	return nil, invalid("", "invalid", fmt.Sprintf("Invalid data. Expected a dictionary, but got %s.", kind))
}

func errJSON(why string) error { return errParse("JSON", why) }

var errDepth = errors.New("nested too deeply")

type jsonDecoder struct {
	*jsontext.Decoder
	lenient bool
}

// explain tells where the text is no JSON, without the decoder's own words.
func (d *jsonDecoder) explain(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, errDepth):
		return errJSON(err.Error())
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errJSON("a member is given twice")
	case errors.As(err, &syntax):
		return errJSON(fmt.Sprintf("malformed at byte %d", syntax.ByteOffset))
	}
	var refused *httpError
	if errors.As(err, &refused) {
		return err
	}
	return errJSON(fmt.Sprintf("malformed at byte %d", d.InputOffset()))
}

// document reads the only value of the body, and returns its kind in Python's words.
func (d *jsonDecoder) document() (object members, kind string, err error) {
	switch k := d.PeekKind(); k {
	case jsontext.KindBeginObject:
		kind = "dict"
		if object, err = d.object(); err != nil {
			return nil, "", err
		}
	default:
		raw, err := d.value()
		if err != nil {
			return nil, "", err
		}
		kind = pythonKind(raw)
	}
	switch _, err := d.ReadToken(); {
	case errors.Is(err, io.EOF):
		return object, kind, nil
	case err == nil:
		return nil, "", errJSON(fmt.Sprintf("extra data after byte %d", d.InputOffset()))
	default:
		return nil, "", err
	}
}

func (d *jsonDecoder) object() (members, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	out := members{}
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		raw, err := d.value()
		if err != nil {
			return nil, err
		}
		if out[key], err = d.text(raw); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return out, err
}

// value reads one value, of bounded depth. Of a list or an object only the first token is returned,
// since nothing of what they hold is ever used.
func (d *jsonDecoder) value() (jsontext.Value, error) {
	base := d.StackDepth()
	switch d.PeekKind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
	default:
		return d.ReadValue()
	}
	first := jsontext.Value(nil)
	for {
		t, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = jsontext.Value(t.String())
		}
		if d.StackDepth() > maxDepth {
			return nil, errDepth
		}
		if d.StackDepth() == base {
			return first, nil
		}
	}
}

func (d *jsonDecoder) text(raw jsontext.Value) (field.Text, error) {
	switch raw.Kind() {
	case jsontext.KindString:
		return field.Given(unquote(raw)), nil
	case jsontext.KindNull:
		return field.Null(), nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return field.Truth(raw.Kind() == jsontext.KindTrue), nil
	case jsontext.KindNumber:
		if len(raw) > maxDigits {
			return field.Text{}, errJSON("a number is too long")
		}
		if d.lenient {
			return field.Given(pythonNumber(string(raw))), nil
		}
	}
	return field.NotText(), nil
}

// unquote returns the text of a JSON string. A lone surrogate, which no Go string of runes can hold,
// comes out in the three bytes that UTF-8 would give it, for field.Rule to find.
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

// escape returns the character of the escape sequence that s begins with, and its length; 0, 0 when
// there is none.
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

// pythonNumber is str(json.loads(raw)).
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
