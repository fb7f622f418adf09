package field_test

import (
	"testing"

	"roster/domain/field"
)

func TestCheckFlag(t *testing.T) {
	for _, c := range []struct {
		name string
		in   field.Text
		want string // yes, no, none or the message
	}{
		{"absent", field.Text{}, "none"},
		{"true", field.Bool(true), "yes"},
		{"false", field.Bool(false), "no"},
		{"text of a form", field.Given("true"), "yes"},
		{"number", field.Given("0"), "no"},
		{"on", field.Given("on"), "yes"},
		{"null", field.Null(), "This field may not be null."},
		{"list", field.NotText(), "Must be a valid boolean."},
		{"word", field.Given("maybe"), "Must be a valid boolean."},
		{"empty", field.Given(""), "Must be a valid boolean."},
	} {
		v, faults := field.CheckFlag("is_staff", c.in)
		got := "none"
		switch {
		case len(faults) == 1 && faults[0].Name == "is_staff" && v == nil:
			got = faults[0].Message
		case len(faults) > 0:
			t.Errorf("%s: %v, %v", c.name, v, faults)
		case v != nil && *v:
			got = "yes"
		case v != nil:
			got = "no"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if _, ok, faults := (field.Rule{Name: "email"}).Check(field.Bool(true)); ok || len(faults) != 1 || faults[0].Message != "Not a valid string." {
		t.Error("a truth value passes for text")
	}
}
