package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	typeDuration = reflect.TypeFor[time.Duration]()
	typeSecret   = reflect.TypeFor[Secret]()
	typeDatabase = reflect.TypeFor[Database]()
	typeRate     = reflect.TypeFor[Rate]()
	typeList     = reflect.TypeFor[List]()
	typeText     = reflect.TypeFor[string]()
)

// parse reads text as a value of the setting. A reason says what is wrong with it.
func (s spec) parse(text string) (v any, reason string) {
	switch {
	case s.typ == typeDuration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, "must be a duration with its unit, such as 90s, 5m or 24h" + s.not(text)
		}
		return d, ""
	case s.typ == typeSecret:
		if strings.ContainsRune(text, 0) {
			return nil, "must not hold NUL characters"
		}
		return NewSecret(text), ""
	case s.typ == typeDatabase:
		d, err := ParseDatabase(text)
		if wrapped(text) {
			return nil, "has blanks, line feeds or quotes around it; remove them"
		}
		if err != nil {
			return nil, err.Error()
		}
		return d, ""
	case s.typ == typeRate:
		r, err := ParseRate(text)
		if err != nil {
			return nil, err.Error() + s.not(text)
		}
		return r, ""
	case s.typ == typeList:
		if !plain(text) {
			return nil, notPlain + s.not(text)
		}
		return ParseList(text), ""
	case s.typ.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, "must be true or false" + s.not(text)
		}
		return b, ""
	case s.typ.Kind() == reflect.String:
		if !plain(text) {
			return nil, notPlain + s.not(text)
		}
		for _, choice := range s.choices { // in any case: nothing else can be meant
			if strings.EqualFold(choice, text) {
				return choice, ""
			}
		}
		return text, ""
	default:
		n, err := strconv.ParseInt(text, 10, s.typ.Bits())
		if err != nil {
			return nil, "must be a whole number" + s.not(text)
		}
		return reflect.ValueOf(n).Convert(s.typ).Interface(), ""
	}
}

const notPlain = "must be UTF-8 text without control characters"

func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// not returns what was given instead, when that may be shown.
func (s spec) not(text string) string {
	const most = 40
	switch {
	case s.secret != "" || strings.ContainsRune(text, '@'): // "@": it may be a URL with a password
		return ""
	case len(text) > most:
		return fmt.Sprintf(", not %q...", strings.ToValidUTF8(text[:most], ""))
	}
	return fmt.Sprintf(", not %q", text)
}

// show returns the form of a value that tables show.
func show(v any) string {
	if d, ok := v.(time.Duration); ok {
		return shortDuration(d)
	}
	return fmt.Sprint(v)
}

// shortDuration leaves out the zero units that time.Duration.String appends: 5m, not 5m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// kind names the type of the setting for people.
func (s spec) kind() string {
	switch {
	case s.typ == typeDuration:
		return "duration"
	case s.typ.Kind() == reflect.Bool:
		return "bool"
	case s.typ.Kind() == reflect.Int, s.typ.Kind() == reflect.Int64:
		return "number"
	}
	return "text"
}

func (c *Config) value(s spec) any { return reflect.ValueOf(c).Elem().Field(s.field).Interface() }

func (c *Config) set(s spec, v any) {
	reflect.ValueOf(c).Elem().Field(s.field).Set(reflect.ValueOf(v))
}
