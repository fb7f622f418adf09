package outbound

import "time"

// Clock tells the time: UTC, in whole milliseconds, the finest that every backend keeps.
type Clock interface {
	Now() time.Time
}
