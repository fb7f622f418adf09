package config

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Rate is so many requests in a period, such as 20/min. The zero value is no limit.
type Rate struct {
	Requests int
	Period   time.Duration
}

// periods is the units of a rate by their first letter, which alone counts in Django REST Framework.
var periods = map[string]struct {
	name   string
	length time.Duration
}{
	"s": {"sec", time.Second}, "m": {"min", time.Minute}, "h": {"hour", time.Hour}, "d": {"day", 24 * time.Hour},
}

// rateText is DRF's NUMBER/PERIOD. A month, which DRF takes for a minute, is none here.
var rateText = regexp.MustCompile(`^([1-9][0-9]{0,8})/(?:(s)[a-z]*|(m)(?:in[a-z]*)?|(h)[a-z]*|(d)[a-z]*)$`)

var errNoRate = fmt.Errorf("must be a rate NUMBER/PERIOD, such as 10/min, 100/hour or 1000/day, or off")

// ParseRate reads a rate as DRF writes it; off and the empty text are no limit.
func ParseRate(text string) (Rate, error) {
	if text == "" || text == Off {
		return Rate{}, nil
	}
	m := rateText.FindStringSubmatch(text)
	if m == nil {
		return Rate{}, errNoRate
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return Rate{}, errNoRate
	}
	return Rate{n, periods[m[2]+m[3]+m[4]+m[5]].length}, nil
}

// Off reports whether there is no limit.
func (r Rate) Off() bool { return r == Rate{} }

// String returns the rate as ParseRate reads it.
func (r Rate) String() string {
	for _, p := range periods {
		if p.length == r.Period {
			return strconv.Itoa(r.Requests) + "/" + p.name
		}
	}
	return Off
}
