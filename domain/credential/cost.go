package credential

// Cost is what the verification of a stored credential takes.
type Cost struct {
	Times float64 // the work of one hash in the preferred scheme, so many times
	MiB   int     // memory, rounded up
}

// The most that a credential of another system may cost. Every scheme in its default parameters, as
// Django 1.4 to 6.1 writes them, is below.
const (
	MaxTimes = 10
	MaxMiB   = 128
)

// Excessive reports whether c is beyond MaxTimes or MaxMiB.
func (c Cost) Excessive() bool { return c.Times > MaxTimes || c.MiB > MaxMiB }
