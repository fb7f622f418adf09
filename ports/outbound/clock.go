package outbound

import "time"

// Clock tells the time: UTC, in whole milliseconds, the finest that every backend keeps of whatever it
// stores.
type Clock interface {
	Now() time.Time

	// After returns a channel that receives once when d is over, whatever happens to the time of day.
	After(d time.Duration) <-chan time.Time
}
