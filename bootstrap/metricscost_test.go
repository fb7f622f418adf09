//go:build unix && !race

package bootstrap

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// processorTime returns the time that this process used processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkMetrics reports the processor time of a GET of oneself on SQLite, from the HTTP handler down, with and without
// metrics, which take turns, and the ratio of the medians. The network is left out: with it the ratio is smaller.
func BenchmarkMetrics(b *testing.B) {
	read := func(settings ...string) func() {
		c, tokens, ids := served(b, 1, append(settings, "ROSTER_DATA_DIR="+b.TempDir(), "ROSTER_ADMIN_LISTEN=127.0.0.1:0")...)
		r := request("GET", "/api/users/"+ids[0]+"/", tokens.Access)
		return func() { c.send(b, r, "") }
	}
	runs := []func(){read("ROSTER_METRICS=false"), read("ROSTER_METRICS=true")}
	taken := make([][]time.Duration, len(runs))
	const requests = 1000
	for b.Loop() {
		for i, run := range runs {
			begun := processorTime(b)
			for range requests {
				run()
			}
			taken[i] = append(taken[i], (processorTime(b)-begun)/requests)
		}
	}
	var medians [2]float64
	for i := range taken {
		slices.Sort(taken[i])
		medians[i] = float64(taken[i][len(taken[i])/2].Nanoseconds())
	}
	b.ReportMetric(medians[0], "without-ns/request")
	b.ReportMetric(medians[1], "with-ns/request")
	b.ReportMetric(medians[1]/medians[0], "with/without")
}
