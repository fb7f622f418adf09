package config

import "strings"

// Fault is one thing wrong with the configuration.
type Fault struct {
	Key    string // the setting, "" when it is about none or a whole file
	Where  string // what to look at: a variable, a flag, a line of a file
	Reason string // what is wrong, without any secret
}

// String returns the fault as one line.
func (f Fault) String() string { return f.Where + ": " + f.Reason }

// Faults is everything wrong with the configuration, as an error of one line each.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}
