package application

import (
	"context"
	"sync"
	"time"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
)

const (
	// overviewAge is how old a Summary may be.
	overviewAge = time.Minute
	// lateEvents is how long after its time an event may come into the trail: after an outage of a backend without
	// transactions, or from a process whose clock is slow. Earlier counts are not read again.
	lateEvents = time.Hour
	// mostMails bounds what the queue costs.
	mostMails  = 1000
	chartDays  = 30
	chartHours = 24
)

// chartKinds are the kinds of events that an overview counts.
var chartKinds = []audit.Kind{audit.SignedIn, audit.SignInFailed, audit.Locked, audit.LinkSent, audit.Registered}

// Overview implements the use cases about the service as a whole. A process has one.
type Overview struct {
	ports Ports
	about inbound.About
	turn  chan struct{} // holds an element while a call reads the storage

	mu   sync.Mutex
	last *inbound.Summary
	past map[stretch]map[audit.Kind]int // counts that do not change any more; guarded by turn
}

// stretch is a stretch of time.
type stretch struct {
	from time.Time
	long time.Duration
}

var _ inbound.Overview = (*Overview)(nil)

// NewOverview returns the use cases on the ports p of the service that about describes.
func NewOverview(p Ports, about inbound.About) *Overview {
	return &Overview{ports: p, about: about, turn: make(chan struct{}, 1), past: map[stretch]map[audit.Kind]int{}}
}

func (o *Overview) About(_ context.Context, actor inbound.Actor) (inbound.About, error) {
	if err := requireStaff(actor); err != nil {
		return inbound.About{}, err
	}
	return o.about, nil
}

func (o *Overview) Summary(ctx context.Context, actor inbound.Actor) (inbound.Summary, error) {
	if err := requireStaff(actor); err != nil {
		return inbound.Summary{}, err
	}
	if s, ok := o.recent(); ok {
		return s, nil
	}
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return inbound.Summary{}, ctx.Err()
	}
	defer func() { <-o.turn }()
	if s, ok := o.recent(); ok { // another caller has read it since
		return s, nil
	}
	s, err := o.read(ctx)
	if err == nil {
		o.mu.Lock()
		o.last = &s
		o.mu.Unlock()
	}
	return s, err
}

// recent returns the last summary, unless it is too old. It is too old as well when the clock was set back.
func (o *Overview) recent() (inbound.Summary, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil {
		return inbound.Summary{}, false
	}
	age := o.ports.Clock.Now().Sub(o.last.At)
	return *o.last, age >= 0 && age < overviewAge
}

func (o *Overview) read(ctx context.Context) (s inbound.Summary, err error) {
	s.At = o.ports.Clock.Now()
	if s.Users, err = o.ports.Users.Count(ctx, user.Filter{}); err != nil {
		return s, err
	}
	if s.Queue, err = o.queue(ctx, s.At); err != nil {
		return s, err
	}
	if s.Days, err = o.counts(ctx, s.At, 24*time.Hour, chartDays); err != nil {
		return s, err
	}
	if s.Hours, err = o.counts(ctx, s.At, time.Hour, chartHours); err != nil {
		return s, err
	}
	for of := range o.past {
		if of.from.Before(s.At.AddDate(0, 0, -chartDays-1)) {
			delete(o.past, of)
		}
	}
	return s, nil
}

// counts returns the counts of n stretches, the last of which contains now. Those of the past are read once.
func (o *Overview) counts(ctx context.Context, now time.Time, long time.Duration, n int) ([]inbound.Counts, error) {
	out := make([]inbound.Counts, n)
	first := now.Truncate(long).Add(-time.Duration(n-1) * long)
	for i := range out {
		of := stretch{first.Add(time.Duration(i) * long), long}
		kinds, err := o.count(ctx, of, now)
		if err != nil {
			return nil, err
		}
		out[i] = inbound.Counts{
			From: of.from, SignIns: kinds[audit.SignedIn], Failures: kinds[audit.SignInFailed], Locks: kinds[audit.Locked],
			Mails: kinds[audit.LinkSent], Registrations: kinds[audit.Registered],
		}
	}
	return out, nil
}

// count returns the counts of a stretch. While a day can still change it is counted by the hour, so that only the last hours
// are read again.
func (o *Overview) count(ctx context.Context, of stretch, now time.Time) (map[audit.Kind]int, error) {
	if kinds, ok := o.past[of]; ok {
		return kinds, nil
	}
	end := of.from.Add(of.long)
	final := !now.Before(end.Add(lateEvents))
	if !final && of.long > time.Hour {
		sum := make(map[audit.Kind]int)
		for hour := of.from; hour.Before(end) && !hour.After(now); hour = hour.Add(time.Hour) {
			kinds, err := o.count(ctx, stretch{hour, time.Hour}, now)
			if err != nil {
				return nil, err
			}
			for kind, n := range kinds {
				sum[kind] += n
			}
		}
		return sum, nil
	}
	kinds, err := o.ports.AuditTrail.Counts(ctx, chartKinds, of.from, end)
	if err == nil && final {
		o.past[of] = kinds
	}
	return kinds, err
}

// queue returns the state of the queue of mails.
func (o *Overview) queue(ctx context.Context, now time.Time) (q inbound.QueueState, err error) {
	waiting, err := o.ports.Mails.Due(ctx, now.AddDate(1, 0, 0), mostMails)
	if err != nil {
		return q, err
	}
	failed, err := o.ports.Mails.List(ctx, mail.Query{State: mail.Failed, Limit: mostMails})
	if err != nil {
		return q, err
	}
	q.Waiting, q.Failed, q.Most = len(waiting), len(failed), mostMails
	for _, m := range waiting {
		s := m.Snapshot()
		if s.Attempts > 0 && s.Reason != "" {
			q.Retrying++
		}
		if q.Oldest.IsZero() || s.Queued.Before(q.Oldest) {
			q.Oldest = s.Queued
		}
	}
	return q, nil
}
