package outbound

import "time"

// Clock tells the time: UTC, in whole milliseconds, the finest that every backend keeps of whatever it
// stores.
type Clock interface {
	Now() time.Time
}
