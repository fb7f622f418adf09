package bootstrap

import (
	"context"
	"net/http"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"roster/adapters/httpapi"
	"roster/adapters/password"
	"roster/adapters/telemetry"
	"roster/bootstrap/config"
	"roster/domain/audit"
	"roster/ports/outbound"
)

// Version is the version of the program, for its metrics.
var Version = "unknown"

// telemetryModule observes the ports of the service. The ports are wrapped in every case, for the log at level debug,
// which can begin at any time.
var telemetryModule = fx.Module("telemetry", fx.Provide(metrics, tracing, observe, operations), fx.Invoke(gauges))

// observed wraps the ports.
var observed = fx.Options(
	fx.Decorate(telemetry.Observer.Users), fx.Decorate(telemetry.Observer.Sessions), fx.Decorate(telemetry.Observer.Attempts),
	fx.Decorate(observedMails), fx.Decorate(telemetry.Observer.AuditTrail), fx.Decorate(telemetry.Observer.PasswordHasher),
	fx.Decorate(telemetry.Observer.Accounts), fx.Decorate(telemetry.Observer.Authentication),
	fx.Decorate(telemetry.Observer.BrowserSessions), fx.Decorate(telemetry.Observer.UserSessions), fx.Decorate(telemetry.Observer.Trail),
	fx.Decorate(telemetry.Observer.Overview), fx.Decorate(telemetry.Observer.SigningKeys), fx.Decorate(telemetry.Observer.StaffMails),
)

// observedMails also measures the queue, unless mail is off.
func observedMails(o telemetry.Observer, t telemetered, cfg config.Config, mails outbound.Mails) outbound.Mails {
	mails = o.Mails(mails)
	if t.Metrics == nil || cfg.MailScheme() == config.Off {
		return mails
	}
	return t.Metrics.Mails(mails)
}

// telemetered is what parts of the service report to, beside their ports. Without metrics, and in a command of the
// operator, they report nothing.
type telemetered struct {
	fx.In
	Metrics *telemetry.Metrics `optional:"true"`
	Tracing *telemetry.Tracing `optional:"true"`
}

// requests returns what observes requests, nil when nothing does.
func (t telemetered) requests() func(*http.Request, bool) (context.Context, string, func(httpapi.Answer)) {
	m, traces := t.Metrics, t.Tracing
	if m == nil && traces == nil {
		return nil
	}
	return func(r *http.Request, trusted bool) (ctx context.Context, id string, end func(httpapi.Answer)) {
		ctx = r.Context()
		var ended func(route, method string, status int)
		if traces != nil {
			var parent http.Header
			if trusted {
				parent = r.Header
			}
			ctx, id, ended = traces.Request(ctx, parent)
		}
		return ctx, id, func(a httpapi.Answer) {
			if ended != nil {
				ended(a.Route, a.Method, a.Status)
			}
			if m != nil {
				m.Request(a.Route, a.Method, a.Status, a.Took, a.Limit)
			}
		}
	}
}

// transport returns a transport for requests to another service, with the defaults of Go.
func (t telemetered) transport() http.RoundTripper {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented
	if t.Tracing == nil {
		return transport
	}
	return t.Tracing.Transport(transport)
}

func (t telemetered) event() func(audit.Event) {
	if t.Metrics == nil {
		return nil
	}
	return t.Metrics.Event
}

func (t telemetered) committed() func(int) {
	if t.Metrics == nil {
		return nil
	}
	return t.Metrics.Committed
}

func (t telemetered) hashed() func(wait, took time.Duration) {
	if t.Metrics == nil {
		return nil
	}
	return t.Metrics.Hashed
}

// metrics returns nil when they are switched off, or cannot be read.
func metrics(cfg config.Config) *telemetry.Metrics {
	if !cfg.Metrics || cfg.AdminListen == config.Off {
		return nil
	}
	return telemetry.NewMetrics(Version)
}

// tracing returns nil when it is switched off. What is recorded is sent before the end of the process.
func tracing(lc fx.Lifecycle, cfg config.Config, log *zap.Logger) (*telemetry.Tracing, error) {
	if cfg.TracesURL == config.Off {
		return nil, nil //nolint:nilnil // off is no error
	}
	t, err := telemetry.NewTracing(context.Background(), cfg.TracesURL, float64(cfg.TracesPercent)/100, Version, log)
	if err != nil {
		return nil, named(cfg, "traces_url", err)
	}
	lc.Append(fx.StopHook(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, flushTimeout)
		defer cancel()
		if err := t.Close(ctx); err != nil {
			log.Warn("the last spans were not sent", zap.Error(err))
		}
	}))
	return t, nil
}

// flushTimeout bounds the wait for a receiver of spans at the end.
const flushTimeout = 3 * time.Second

func observe(m *telemetry.Metrics, t *telemetry.Tracing, log *zap.Logger) telemetry.Observer {
	var all []telemetry.Observer
	if t != nil {
		all = append(all, t.Observe)
	}
	if m != nil {
		all = append(all, m.Observe)
	}
	return telemetry.Log(log, telemetry.All(all...))
}

// running is what the metrics read when they are asked for.
type running struct {
	fx.In
	Hasher *password.Hasher
	Log    *LogOutput `optional:"true"`
}

func gauges(m *telemetry.Metrics, cfg config.Config, r running) {
	if m == nil {
		return
	}
	m.Gauge("roster_password_hash_places", "Computations of password hashes that may run at once.",
		func() float64 { return float64(workers(cfg)) })
	m.Gauge("roster_password_hash_waiting", "Computations that wait for a free place.", func() float64 { return float64(r.Hasher.Waiting()) })
	if r.Log != nil {
		m.Counter("roster_log_lines_dropped_total", "Lines of the log that were dropped, since its reader did not take them in time.",
			func() float64 { return float64(r.Log.Dropped()) })
	}
}

// level is the level of the log, if it can be changed.
type level struct {
	fx.In
	Level zap.AtomicLevel `optional:"true"`
}

// reported serves a log level, and logs a change of it.
func reported(level zap.AtomicLevel, log *zap.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := level.Level()
		level.ServeHTTP(w, r)
		if now := level.Level(); now != before {
			log.Warn("the log level was changed", zap.Stringer("from", before), zap.Stringer("to", now), zap.String("client", r.RemoteAddr))
		}
	})
}

func operations(m *telemetry.Metrics, l level, log *zap.Logger) httpapi.Operations {
	var o httpapi.Operations
	if m != nil {
		o.Metrics = m.Handler()
	}
	if l.Level != (zap.AtomicLevel{}) {
		o.LogLevel = reported(l.Level, log)
	}
	return o
}
