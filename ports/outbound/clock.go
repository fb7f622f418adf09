package outbound

import "time"

// Clock is the source of time.
type Clock interface {
	// Now returns the time of day in UTC, in whole milliseconds, the finest resolution of every stored type.
	Now() time.Time

	// Elapsed returns the time since an arbitrary start. It does not jump when the time of day is set. Only
	// differences are meaningful.
	Elapsed() time.Duration

	// After returns a channel that receives once after d, measured as Elapsed is.
	After(d time.Duration) <-chan time.Time
}
