package field

import (
	"slices"

	"roster/domain/fault"
)

// What stands for yes and no in text, where a form or a number says it (DRF's BooleanField).
var (
	yes = []string{"t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1"}
	no  = []string{"f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0"}
)

// CheckFlag returns the truth value that a member named name holds, nil when it is absent, and every
// fault.
func CheckFlag(name string, t Text) (*bool, []fault.Field) {
	r := Rule{Name: name}
	switch t.state {
	case absent:
		return nil, nil
	case null:
		return nil, r.fault("null", "This field may not be null.")
	case truth, text:
		s := Strip(t.Value())
		if slices.Contains(yes, s) {
			return new(true), nil
		}
		if slices.Contains(no, s) {
			return new(false), nil
		}
	case notText:
	}
	return nil, r.fault("invalid", "Must be a valid boolean.")
}
