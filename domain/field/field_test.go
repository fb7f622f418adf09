package field_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roster/domain/field"
)

func TestCheck(t *testing.T) {
	rule := field.Rule{Name: "name", Required: true, Max: 5, MaxBytes: 12}
	optional, keep := rule, rule
	optional.Required, keep.KeepSpace = false, true
	own := rule
	own.NotText = "Enter a valid email address."
	const (
		long     = "max_length: Ensure this field has no more than 5 characters."
		large    = "max_length: Ensure this field has no more than 12 bytes."
		nul      = "null_characters_not_allowed: Null characters are not allowed."
		pair     = "surrogate_characters_not_allowed: Surrogate characters are not allowed: U+"
		required = "required: This field is required."
		blank    = "blank: This field may not be blank."
	)
	for name, c := range map[string]struct {
		rule   field.Rule
		text   field.Text
		value  string
		ok     bool
		faults []string
	}{
		"good":                 {rule, field.Given("Zoë"), "Zoë", true, nil},
		"absent":               {rule, field.Text{}, "", false, []string{required}},
		"absent, optional":     {optional, field.Text{}, "", false, nil},
		"null":                 {rule, field.Null(), "", false, []string{"null: This field may not be null."}},
		"null, optional":       {optional, field.Null(), "", false, []string{"null: This field may not be null."}},
		"not text":             {rule, field.NotText(), "", false, []string{"invalid: Not a valid string."}},
		"not text, own words":  {own, field.NotText(), "", false, []string{"invalid: Enter a valid email address."}},
		"empty":                {rule, field.Given(""), "", false, []string{blank}},
		"empty, kept":          {keep, field.Given(""), "", false, []string{blank}},
		"blanks":               {rule, field.Given(" \t\r\n\u3000\x1c"), "", false, []string{blank}},
		"blanks, kept":         {keep, field.Given("  "), "  ", true, nil},
		"cut":                  {rule, field.Given(" a b\u2003"), "a b", true, nil},
		"kept":                 {keep, field.Given(" a b "), " a b ", true, nil},
		"limit":                {rule, field.Given("12345"), "12345", true, nil},
		"limit after cutting":  {rule, field.Given("     12345     "), "12345", true, nil},
		"limit, kept":          {keep, field.Given("12345 "), "12345 ", true, []string{long}},
		"characters not bytes": {rule, field.Given("ééééé"), "ééééé", true, nil},
		"emoji":                {rule, field.Given("😀😀😀"), "😀😀😀", true, nil},
		"too many bytes":       {rule, field.Given("😀😀😀😀"), "😀😀😀😀", true, []string{large}},
		"both":                 {rule, field.Given("😀😀😀😀😀😀"), "😀😀😀😀😀😀", true, []string{long, large}},
		"NUL":                  {rule, field.Given("a\x00b"), "a\x00b", true, []string{nul}},
		"NUL alone":            {rule, field.Given("\x00"), "\x00", true, []string{nul}},
		"surrogate":            {rule, field.Given("a\xed\xa0\x80"), "a\xed\xa0\x80", true, []string{pair + "D800."}},
		"last surrogate":       {rule, field.Given("\xed\xbf\xbf"), "\xed\xbf\xbf", true, []string{pair + "DFFF."}},
		"first of many":        {rule, field.Given("\xed\xb0\xb1\xed\xa0"), "\xed\xb0\xb1\xed\xa0", true, []string{pair + "DC31."}},
		"no surrogate":         {rule, field.Given("\ud7ff\ue000"), "\ud7ff\ue000", true, nil},
		"cut in the middle":    {rule, field.Given("\xed\xa0"), "", false, []string{"invalid: Not a valid string."}},
		"all at once": {
			rule, field.Given("123456789012\x00\xed\xa0\xbd"), "123456789012\x00\xed\xa0\xbd", true,
			[]string{long, large, nul, pair + "D83D."},
		},
	} {
		value, ok, faults := c.rule.Check(c.text)
		var got []string
		for _, f := range faults {
			if f.Name != "name" {
				t.Errorf("%s: fault of %q", name, f.Name)
			}
			got = append(got, f.Code+": "+f.Message)
		}
		if value != c.value || ok != c.ok {
			t.Errorf("%s: %q, %t", name, value, ok)
		}
		if diff := cmp.Diff(c.faults, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, _, faults := (field.Rule{Name: "free"}).Check(field.Given(strings.Repeat("x", 1<<16))); faults != nil {
		t.Errorf("no limits: %v", faults)
	}
}

func TestPresent(t *testing.T) {
	for text, want := range map[*field.Text]bool{{}: false, ptr(field.Null()): true, ptr(field.NotText()): true, ptr(field.Given("")): true} {
		if text.Present() != want || text.Value() != "" {
			t.Errorf("%t, %q", text.Present(), text.Value())
		}
	}
}

func ptr(t field.Text) *field.Text { return &t }

// Python 3's "".isspace() for every code point (Unicode 14).
func TestIsSpaceAgreesWithPython(t *testing.T) {
	spaces := "\t\n\v\f\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
	for r := rune(0); r <= 0x10FFFF; r++ {
		if field.IsSpace(r) != strings.ContainsRune(spaces, r) && (r < 0xD800 || r > 0xDFFF) {
			t.Errorf("%U: %t", r, field.IsSpace(r))
		}
	}
	for in, want := range map[string]string{
		"": "", " ": "", spaces: "", spaces + "a" + spaces: "a", "\u200b a \ufeff": "\u200b a \ufeff", "\xff \xed\xa0\x80": "\xff \xed\xa0\x80", " \xff ": "\xff",
	} {
		if got := field.Strip(in); got != want {
			t.Errorf("Strip(%q) = %q", in, got)
		}
	}
}

func TestTextNeverPrints(t *testing.T) {
	text := field.Given("lantern")
	inside := struct {
		Exported field.Text
		hidden   field.Text
	}{text, text}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{text, &text, inside, &inside, []field.Text{text}} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "lantern") || strings.Contains(out, "6c616e") {
				t.Errorf("%s of %T: %s", verb, v, out)
			}
		}
	}
	if out, err := json.Marshal(inside); err != nil || strings.Contains(string(out), "lantern") {
		t.Errorf("%s, %v", out, err)
	}
}
