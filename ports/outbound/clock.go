package outbound

import "time"

// Clock tells the time: UTC, in whole milliseconds, the finest that every backend keeps of whatever it
// stores.
type Clock interface {
	Now() time.Time

	// Elapsed returns the time since some moment before, which no change of the time of day affects. Only
	// differences mean anything.
	Elapsed() time.Duration

	// After returns a channel that receives once when d is over, whatever happens to the time of day.
	After(d time.Duration) <-chan time.Time
}
