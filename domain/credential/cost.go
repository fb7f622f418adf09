package credential

// Cost is the cost of one verification of a stored credential.
type Cost struct {
	Times float64 // work, relative to one hash in the preferred scheme
	MiB   int     // memory, rounded up
}

// The maximum cost of an imported credential. All schemes of Django 1.4 to 6.1 with default parameters are below it.
const (
	MaxTimes = 10
	MaxMiB   = 128
)

// Excessive reports whether c exceeds MaxTimes or MaxMiB.
func (c Cost) Excessive() bool { return c.Times > MaxTimes || c.MiB > MaxMiB }
