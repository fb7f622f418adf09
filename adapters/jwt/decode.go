package jwt

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is the maximum nesting of objects and lists, in a header and in claims.
const maxDepth = 16

// readObject reads a JSON object strictly (RFC 8259): valid UTF-8, no lone surrogates, no duplicate names in any object,
// nothing after it. It calls member for each member in order; value is valid until member returns.
func readObject(text []byte, member func(name string, value jsontext.Value) error) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(text))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return errJSON
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return errJSON
		}
		n := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return errJSON
		}
		if err := checkDepth(value); err != nil {
			return err
		}
		if err := member(n, value); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return errJSON
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errJSON
	}
	return nil
}

// checkDepth bounds the depth of a member's value.
func checkDepth(value jsontext.Value) error {
	if kind := value.Kind(); kind != '{' && kind != '[' {
		return nil
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(value))
	for {
		_, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return errJSON
		case d.StackDepth() >= maxDepth: // with the object around the value
			return errDepth
		}
	}
}

func asText(value jsontext.Value) (string, error) {
	if value.Kind() != '"' {
		return "", errType
	}
	b, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return "", errType
	}
	return string(b), nil
}

// asTexts reads a text, or a list of texts.
func asTexts(value jsontext.Value) ([]string, error) {
	if value.Kind() != '[' {
		s, err := asText(value)
		return []string{s}, err
	}
	var out []string
	d := jsontext.NewDecoder(bytes.NewBuffer(value))
	if _, err := d.ReadToken(); err != nil {
		return nil, errType
	}
	for d.PeekKind() != ']' {
		v, err := d.ReadValue()
		if err != nil {
			return nil, errType
		}
		s, err := asText(v)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// maxSeconds is the end of the year 9999, the last year that RFC 3339 and Python support.
const maxSeconds = 253402300799

// seconds reads a NumericDate (RFC 7519, 2): a number, fraction or not, from 1 to maxSeconds.
func seconds(value jsontext.Value) (float64, error) {
	if value.Kind() != '0' {
		return 0, errType
	}
	s, err := strconv.ParseFloat(string(value), 64)
	if err != nil || math.IsNaN(s) || s < 1 || s > maxSeconds {
		return 0, errType
	}
	return s, nil
}

// integer reads a number without fraction or exponent, of 64 bits.
func integer(value jsontext.Value) (int64, bool) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil
}
