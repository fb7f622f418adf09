package field

import (
	"slices"

	"roster/domain/fault"
)

// The texts that DRF's BooleanField takes for true and false.
var (
	trueTexts  = []string{"t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1"}
	falseTexts = []string{"f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0"}
)

// CheckFlag returns the boolean value of the field called name, or nil when it is absent, and all faults.
func CheckFlag(name string, t Text) (*bool, []fault.Field) {
	r := Rule{Name: name}
	switch t.state {
	case absent:
		return nil, nil
	case null:
		return nil, r.fault("null", "This field may not be null.")
	case boolean, text:
		s := Strip(t.Value())
		if slices.Contains(trueTexts, s) {
			return new(true), nil
		}
		if slices.Contains(falseTexts, s) {
			return new(false), nil
		}
	case notText:
	}
	return nil, r.fault("invalid", "Must be a valid boolean.")
}
