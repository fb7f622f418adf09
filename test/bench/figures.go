package main

import (
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/crypto/argon2"
)

// reportImport reports the rate of the import that seeded the database, and at a million users its limits.
func (b *bench) reportImport(i imported) {
	value := fmt.Sprintf("%.1f s, %.0f users/s, %.0f MB", i.Seconds, float64(b.users)/i.Seconds, i.MB)
	if b.users == 1_000_000 {
		b.report.figure("import of 1,000,000 users", value, "120 s, 200 MB", i.Seconds < 120 && i.MB < 200)
		return
	}
	b.report.figure(fmt.Sprintf("import of %d users", b.users), value, "", false)
}

// startups measures how long Roster takes until it is ready, and the memory that it holds then.
func (b *bench) startups() error {
	var millis, memory []float64
	for range b.rounds + 1 {
		s, p, err := b.launch("roster", nil)
		if err != nil {
			return err
		}
		mb, err := s.resident()
		if err := errors.Join(err, s.stop()); err != nil {
			return err
		}
		millis, memory = append(millis, float64(p.Startup.Microseconds())/1000), append(memory, mb)
	}
	millis, memory = millis[1:], memory[1:] // the first start may migrate the database
	b.report.figure("start to ready", fmt.Sprintf("%.0f ms", median(millis)), "60 ms", median(millis) <= 60)
	b.report.figure("idle memory", fmt.Sprintf("%.0f MB", median(memory)), "40 MB", median(memory) <= 40)
	return nil
}

// searchWords are 40 searches: frequent and rare prefixes, one and two letters, two words, words without a hit, and
// words of other alphabets.
var searchWords = []string{
	"a", "e", "u", "x", "z", "0", "an", "us", "ex", "zz", "xe", "01", "user", "user0", "user0000", "example", "example9", "com", "ann",
	"bar", "hart", "goldman", "quillworth", "zimberg", "user00000123", "user00009999@example8.com", "ann bar", "joe hartson",
	"user00 example1", "an ex", "ann zzzz", "nosuchuser", "qqqq", "xyzzyxyzzy", "мария", "м", "ελ", "明", "josé", "zoë hart",
}

// searches measures the CPU time of each search, and reports the median and the slowest.
func (b *bench) searches() error {
	cpu := make(map[string][]float64)
	for range b.rounds {
		for _, words := range searchWords {
			path := "/api/users/?search=" + url.QueryEscape(words)
			l, err := b.es.closedLoop(func(c *client) vegeta.Target { return get(c, path) }, 1, b.roundTime()/10)
			if err != nil {
				return err
			}
			cpu[words] = append(cpu[words], l.cpu)
		}
	}
	var all []float64
	slow, slowest, over := "", 0.0, 0
	for _, words := range searchWords {
		m := median(cpu[words])
		all = append(all, m)
		if m > slowest {
			slow, slowest = words, m
		}
		if m > 3000 {
			over++
		}
	}
	b.report.figure(fmt.Sprintf("CPU of a search, median of %d", len(all)), micros(median(all)), "", false)
	b.report.figure(fmt.Sprintf("CPU of the slowest search (`%s`); %d of %d are over the limit", slow, over, len(all)), micros(slowest),
		"3,000 µs", over == 0)
	return nil
}

// hashing compares the rate of sign-ins with that of bare argon2id with the same parameters on all CPUs.
func (b *bench) hashing() error {
	var bare, signIns []float64
	for range b.rounds {
		bare = append(bare, argon2idRate(b.roundTime()))
		l, err := b.es.closedLoop(signIn, b.few(), b.roundTime())
		if err != nil {
			return err
		}
		signIns = append(signIns, l.rate)
	}
	share := median(signIns) / median(bare)
	b.report.figure("bare argon2id (19 MiB, 2 passes)", fmt.Sprintf("%.1f/s", median(bare)), "", false)
	b.report.figure("sign-ins", fmt.Sprintf("%.1f/s, %.0f %% of bare argon2id", median(signIns), 100*share), "at least 95 %", share >= 0.95)
	return nil
}

// argon2idRate returns how many hashes a second all CPUs compute together.
func argon2idRate(d time.Duration) float64 {
	var done atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for time.Since(begun) < d {
				argon2.IDKey([]byte(password), []byte("saltsaltsaltsalt"), 2, 19456, 1, 32)
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds()
}

// flood measures the latency of reads at a constant rate, without and with all clients signing in as fast as they can.
func (b *bench) flood() error {
	const rate = 100 // reads a second: next to nothing, so that what they wait for is the flood
	var calm, flooded []time.Duration
	for range b.rounds {
		l, err := b.es.constantRate(readSelf, b.few(), rate, 2*b.roundTime())
		if err != nil {
			return err
		}
		calm = append(calm, l.latencies...)
		stop, fault := make(chan struct{}), make(chan error, 1)
		go func() {
			_, err := b.es.attack(signIn, b.clients, vegeta.ConstantPacer{}, 0, stop)
			fault <- err
		}()
		l, err = b.es.constantRate(readSelf, b.few(), rate, 2*b.roundTime())
		close(stop)
		if err := errors.Join(err, <-fault); err != nil {
			return err
		}
		flooded = append(flooded, l.latencies...)
	}
	slices.Sort(calm)
	slices.Sort(flooded)
	before, during := quantile(calm, 0.99), quantile(flooded, 0.99)
	ratio := float64(during) / float64(before)
	b.report.figure("p99 of reads", millis(before), "", false)
	b.report.figure(fmt.Sprintf("p99 of reads while %d clients sign in", b.clients),
		fmt.Sprintf("%s, %.1f times as long", millis(during), ratio), "5 times", ratio <= 5)
	return nil
}

func micros(n float64) string { return thousands(n) + " µs" }

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

// thousands writes a number without a fraction, with commas.
func thousands(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	var out strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return out.String()
}
