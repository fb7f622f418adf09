package telemetry

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"roster/domain/audit"
)

// durations are the upper bounds of histograms, in seconds: from a read of an embedded database to a request that ends
// at its time limit.
var durations = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics measures the service, in the names and units of Prometheus. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	requests      *prometheus.CounterVec
	requestTimes  *prometheus.HistogramVec
	throttled     *prometheus.CounterVec
	useCases      *prometheus.CounterVec
	storageTimes  *prometheus.HistogramVec
	storageErrors *prometheus.CounterVec
	hashTimes     prometheus.Observer
	hashWaits     prometheus.Observer
	hashBusy      prometheus.Counter
	events        *prometheus.CounterVec
	commits       prometheus.Observer
}

// NewMetrics returns Metrics of a program of a version.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.requests = m.counters("roster_http_requests_total", "HTTP requests by route template, method and status code.",
		"route", "method", "code")
	m.requestTimes = m.histograms("roster_http_request_duration_seconds", "Time from the header of a request to the end of its response.",
		durations, "route", "method")
	m.throttled = m.counters("roster_http_throttled_total", "HTTP requests that a limit refused.", "limit")
	m.useCases = m.counters("roster_use_cases_total", "Use cases by how they ended.", "use_case", "outcome")
	m.storageTimes = m.histograms("roster_storage_operation_duration_seconds", "Time of an operation of the storage.", durations, "operation")
	m.storageErrors = m.counters("roster_storage_operation_errors_total", "Operations of the storage that failed.", "operation", "kind")
	m.hashTimes = m.histograms("roster_password_hash_duration_seconds", "Time to compute the hash of a password.", durations).
		WithLabelValues()
	m.hashWaits = m.histograms("roster_password_hash_wait_seconds", "Time that a computation waited for a free place.", durations).
		WithLabelValues()
	m.hashBusy = m.counters("roster_password_hash_refused_total", "Computations that were refused: too many waited, or for too long.").
		WithLabelValues()
	m.events = m.counters("roster_audit_events_total",
		"Events of the audit trail by kind. Events that repeat within a minute count as the trail has them.", "kind")
	m.commits = m.histograms("roster_storage_commit_writes", "Writes that shared one commit of the embedded database.",
		prometheus.ExponentialBuckets(1, 2, 8)).WithLabelValues()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "roster_build_info", Help: "1, with the version of the program.",
	}, []string{"version", "go"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, kind := range audit.Kinds() { // so that the first event of a kind is an increase
		m.events.WithLabelValues(string(kind))
	}
	return m
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histograms(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}, labels)
	m.registry.MustRegister(h)
	return h
}

// Gauge adds a gauge that read gives the value of, when the metrics are read.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Counter adds a counter likewise.
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

// Handler serves the metrics in the formats of Prometheus and OpenMetrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// methods are those with a label of their own: a client chooses the method, so the others share one.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

func knownMethod(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "other"
}

// Request counts an answered request. route is a path template; limit is the limit that refused the request, "" for none.
func (m *Metrics) Request(route, method string, status int, took time.Duration, limit string) {
	method = knownMethod(method)
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.requestTimes.WithLabelValues(route, method).Observe(took.Seconds())
	if limit != "" {
		m.throttled.WithLabelValues(limit).Inc()
	}
}

// Event counts an event of the audit trail.
func (m *Metrics) Event(e audit.Event) { m.events.WithLabelValues(string(e.Kind)).Inc() }

// Hashed counts the computation of a password's hash: how long it waited for a place and how long it took.
func (m *Metrics) Hashed(wait, took time.Duration) {
	m.hashWaits.Observe(wait.Seconds())
	m.hashTimes.Observe(took.Seconds())
}

// Committed counts a commit of the embedded database, and the writes in it.
func (m *Metrics) Committed(writes int) { m.commits.Observe(float64(writes)) }

// Observe is an Observer.
func (m *Metrics) Observe(ctx context.Context, layer, operation string) (context.Context, func(error)) {
	begun := time.Now()
	return ctx, func(err error) {
		outcome := Outcome(err)
		switch layer {
		case UseCase:
			m.useCases.WithLabelValues(operation, outcome).Inc()
		case Storage:
			m.storageTimes.WithLabelValues(operation).Observe(time.Since(begun).Seconds())
			if failed(outcome) {
				m.storageErrors.WithLabelValues(operation, outcome).Inc()
			}
		case Hash:
			if outcome == "unavailable" {
				m.hashBusy.Inc()
			}
		}
	}
}
