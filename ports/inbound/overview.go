package inbound

import (
	"context"
	"time"
)

// Counts are the numbers of events in a stretch of time. Repetitions that the trail contains as one event, see
// audit.Deduplicator, count once or twice.
type Counts struct {
	From          time.Time
	SignIns       int
	Failures      int // failed sign-ins
	Locks         int // failed sign-ins after which further ones had to wait
	Mails         int // sent mails with a link
	Registrations int
}

// QueueState is the state of the queue of mails.
type QueueState struct {
	Waiting  int       // to be sent or tried again
	Retrying int       // of these, after a failed attempt
	Failed   int       // given up
	Most     int       // Waiting and Failed count no further
	Oldest   time.Time // when the oldest waiting one was queued; zero for none
}

// Summary is the state of the service in numbers.
type Summary struct {
	At    time.Time // when it was read
	Users int
	Queue QueueState
	Days  []Counts // the last 30 days in UTC, the oldest first; the last one is not over
	Hours []Counts // the last 24 hours, the oldest first; the last one is not over
}

// SettingValue is a setting in force.
type SettingValue struct {
	Name, Value string // secrets as "(set)" or "(not set)"
	Group       string // its heading
	Help        string
	Source      string   // what gave the value
	Unsafe      []string // why the value is unsafe, or less safe than that of profile standard
}

// About describes a service. It does not change while the service runs.
type About struct {
	Version  string
	Backend  string // the kind of database
	Mail     string // where mails go
	Profile  string
	Started  time.Time
	Warnings []string // what is unsafe in the settings and the files that they name, as roster check says it
	Settings []SettingValue
}

// Overview is the group of use cases about the service as a whole, for staff. Each method fails with fault.Unauthenticated
// when the actor is anonymous, and with fault.Forbidden when the actor is not staff.
type Overview interface {
	// Summary returns the state of the service, read at most a minute ago. All callers share it.
	Summary(ctx context.Context, actor Actor) (Summary, error)

	// About describes the service.
	About(ctx context.Context, actor Actor) (About, error)
}
