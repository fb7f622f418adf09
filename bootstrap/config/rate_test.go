package config

import (
	"testing"
	"time"
)

// A rate is written as in Django REST Framework, whose periods count by their first letter.
func TestRates(t *testing.T) {
	for text, want := range map[string]struct {
		rate  Rate
		shown string
	}{
		"":           {Rate{}, "off"},
		"off":        {Rate{}, "off"},
		"5/s":        {Rate{5, time.Second}, "5/sec"},
		"5/seconds":  {Rate{5, time.Second}, "5/sec"},
		"10/m":       {Rate{10, time.Minute}, "10/min"},
		"10/minute":  {Rate{10, time.Minute}, "10/min"},
		"100/h":      {Rate{100, time.Hour}, "100/hour"},
		"100/hour":   {Rate{100, time.Hour}, "100/hour"},
		"1000/d":     {Rate{1000, 24 * time.Hour}, "1000/day"},
		"1000/daily": {Rate{1000, 24 * time.Hour}, "1000/day"},
	} {
		got, err := ParseRate(text)
		if err != nil || got != want.rate || got.String() != want.shown {
			t.Errorf("%q is %v, %v", text, got, err)
		}
		if again, err := ParseRate(got.String()); err != nil || again != got {
			t.Errorf("%q is shown as %q, which is %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"5", "5/", "/min", "-5/min", "5/5min", "5 / min", "5/week", "5/ms", "9999999999/day", "5.5/min"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}
