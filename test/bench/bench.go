package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench is one run of the benchmark.
type bench struct {
	options
	binary  string // of Roster
	work    string // a directory that is removed at the end
	data    string // the data directory of Roster
	report  report
	es, hs  *server // Roster with ES256, the default, and with HS256
	off     *server // Roster without group commit; nil where there is none
	console *server // Roster with the console
	floor   *server
	running []*server
}

func (b *bench) run() (err error) {
	if err := os.MkdirAll(b.dir, 0o750); err != nil {
		return err
	}
	if b.work, err = os.MkdirTemp(b.dir, "run-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	b.report.describe(b.options)
	say("seeding %d users", b.users)
	took, err := b.seed()
	if err != nil {
		return err
	}
	if took.Seconds > 0 {
		b.reportImport(took)
	}
	if err := b.startups(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	if err := b.start(); err != nil {
		return err
	}
	deep, err := b.deepPage(b.es)
	if err != nil {
		return err
	}
	for _, o := range b.operations(deep) {
		if !strings.Contains(o.name, b.only) {
			continue
		}
		say("%s", o.name)
		if err := b.measure(o); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	for _, step := range []struct {
		name string
		run  func() error
	}{{"searches", b.searches}, {"hashing", b.hashing}, {"flood", b.flood}} {
		if !strings.Contains(step.name, b.only) {
			continue
		}
		say("%s", step.name)
		if err := step.run(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return b.report.write(b.options)
}

// start starts the servers, all on the same database.
func (b *bench) start() (err error) {
	secret := map[string]string{"ROSTER_SIGNING_KEY": "q8Zt3vWm1Kx7LpR9sYd2Bn5HcF4gJu6E"}
	if b.es, err = b.launchRoster("roster, ES256", b.clients, nil); err != nil {
		return err
	}
	b.running = append(b.running, b.es)
	if b.hs, err = b.launchRoster("roster, HS256", b.few(), secret); err != nil {
		return err
	}
	b.running = append(b.running, b.hs)
	if b.database == "" {
		path, err := filepath.Abs(filepath.Join(b.data, "roster.db"))
		if err != nil {
			return err
		}
		off := map[string]string{"ROSTER_DATABASE": "sqlite:" + path + "?group_commit=off"}
		if b.off, err = b.launchRoster("roster, no group commit", b.clients, off); err != nil {
			return err
		}
		b.running = append(b.running, b.off)
	}
	if b.console, err = b.launchConsole(b.few()); err != nil {
		return err
	}
	b.running = append(b.running, b.console)
	if b.floor, err = b.launchFloor(); err != nil {
		return err
	}
	b.running = append(b.running, b.floor)
	return nil
}

func (b *bench) stop() (err error) {
	for _, s := range slices.Backward(b.running) {
		err = errors.Join(err, s.stop())
	}
	return err
}

func (b *bench) roundTime() time.Duration { return time.Duration(b.seconds * float64(time.Second)) }

// subject is a server with what was measured on it.
type subject struct {
	*server
	request   request
	rates     []float64
	cpu       []float64
	latencies []time.Duration
	offered   []float64
	memory    float64
}

// measure measures an operation on each server in turn, round after round: as fast as the clients get answers, and then
// at half the rate that Roster reached, at which a latency is that of the server and not of a queue before it.
func (b *bench) measure(o operation) error {
	subjects := []*subject{{server: b.es, request: o.request}}
	if o.console {
		subjects[0].server = b.console
	}
	if o.both {
		subjects = append(subjects, &subject{server: b.hs, request: o.request})
	}
	if o.grouped && b.off != nil {
		subjects = append(subjects, &subject{server: b.off, request: o.request})
	}
	if o.floor != nil {
		subjects = append(subjects, &subject{server: b.floor, request: o.floor})
	}
	for range b.rounds {
		for _, s := range subjects {
			l, err := s.closedLoop(s.request, o.clients, b.roundTime())
			if err != nil {
				return err
			}
			s.rates, s.cpu = append(s.rates, l.rate), append(s.cpu, l.cpu)
		}
		rate := subjects[0].rates[len(subjects[0].rates)-1] / 2
		for _, s := range subjects {
			l, err := s.constantRate(s.request, o.clients, rate, b.roundTime())
			if err != nil {
				return err
			}
			s.offered, s.latencies = append(s.offered, rate), append(s.latencies, l.latencies...)
		}
	}
	floor := 0.0
	for _, s := range slices.Backward(subjects) { // the floor first
		var err error
		if s.memory, err = s.resident(); err != nil {
			return err
		}
		if s.server == b.floor {
			floor = median(s.cpu)
		}
	}
	for _, s := range subjects {
		judged := o
		if s.server == b.off {
			judged.micros = 0
		}
		b.report.add(judged, s, floor, s.server == b.floor)
		if s.server == b.off {
			times := median(subjects[0].rates) / median(s.rates)
			b.report.figure("rate of refreshes to that without group commit", fmt.Sprintf("%.1f times", times), "at least 5 times", times >= 5)
		}
	}
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// quantile returns the latency that a share of the sorted values does not exceed.
func quantile(sorted []time.Duration, share float64) time.Duration {
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// say reports progress.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// outputs returns the paths of the report and of the picture in a folder.
func outputs(folder string) (text, picture string) {
	return filepath.Join(folder, "performance.md"), filepath.Join(folder, "performance.svg")
}
