package telemetry

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"roster/domain/mail"
	"roster/ports/outbound"
)

// countedMails counts the mails that end.
type countedMails struct {
	outbound.Mails
	ended *prometheus.CounterVec
}

// Mails returns mails, measured: how the attempts of this process end, and how many mails wait. It is called once.
func (m *Metrics) Mails(mails outbound.Mails) outbound.Mails {
	c := countedMails{mails, m.counters("roster_mails_total", "Mails by kind and by how they ended.", "kind", "result")}
	for _, kind := range mail.Kinds() { // so that the first of a kind is an increase
		for _, result := range []mail.State{mail.Sent, mail.Failed, mail.Dropped} {
			c.ended.WithLabelValues(string(kind), string(result))
		}
	}
	m.Gauge("roster_mails_waiting", "Mails that wait to be sent or tried again, at most 1000.", func() float64 { return waiting(mails) })
	return c
}

// Update counts a mail that the change finished. A change of a finished mail has no effect, and Retry makes it wait.
func (c countedMails) Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error) {
	var before mail.State
	m, err := c.Mails.Update(ctx, id, func(m *mail.Mail) error {
		before = m.Snapshot().State
		return change(m)
	})
	if err == nil && before == mail.Waiting {
		if s := m.Snapshot(); s.State != mail.Waiting {
			c.ended.WithLabelValues(string(s.Kind), string(s.State)).Inc()
		}
	}
	return m, err
}

const (
	mostWaiting  = 1000            // bounds what a read of the metrics costs
	waitingLimit = 2 * time.Second // its time
)

// waiting returns the number of mails that wait, and NaN when the storage fails.
func waiting(mails outbound.Mails) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), waitingLimit)
	defer cancel()
	found, err := mails.Due(ctx, time.Now().AddDate(1, 0, 0), mostWaiting)
	if err != nil {
		return math.NaN()
	}
	return float64(len(found))
}
