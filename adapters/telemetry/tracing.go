package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// Tracing records spans of requests, use cases, operations of the storage and hashing, and sends them to a collector
// (OpenTelemetry). Spans have names and outcomes, and nothing that a client sent but the method of the request.
type Tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// NewTracing returns Tracing that sends spans to the OTLP receiver at url, such as http://localhost:4318/v1/traces. ratio
// is the share of the traces begun here that are recorded, from 0 to 1.
func NewTracing(ctx context.Context, url string, ratio float64, version string, log *zap.Logger) (*Tracing, error) {
	exporter, err := otlptrace.New(ctx, receiver{url, &http.Client{Timeout: exportTimeout}})
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	log = log.Named("tracing")
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("spans were not sent", zap.Error(err)) }))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
		sdktrace.WithResource(resource.NewSchemaless(semconv.ServiceName("roster"), semconv.ServiceVersion(version))))
	return &Tracing{provider, provider.Tracer("roster")}, nil
}

// Close sends the spans that are left.
func (t *Tracing) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// Request begins the span of a request. parent is the header of the request, with the trace that it belongs to (W3C
// Trace Context), or nil when its sender is not trusted. It returns the id of the trace, "" when it is not recorded.
func (t *Tracing) Request(
	ctx context.Context, parent http.Header,
) (_ context.Context, id string, end func(route, method string, status int)) {
	if parent != nil {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(parent))
	}
	ctx, span := t.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	if span.IsRecording() {
		id = span.SpanContext().TraceID().String()
	}
	return ctx, id, func(route, method string, status int) {
		method = knownMethod(method)
		span.SetName(method + " " + route)
		span.SetAttributes(semconv.HTTPRoute(route), semconv.HTTPRequestMethodKey.String(method), semconv.HTTPResponseStatusCode(status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Transport returns a transport for requests to other services. Each has a span, and the header traceparent with the trace
// that it belongs to (W3C Trace Context). A span does not have the URL, of which a part may be secret.
func (t *Tracing) Transport(of *http.Transport) http.RoundTripper { return outgoing{of, t.tracer} }

// outgoing embeds the transport for its CloseIdleConnections.
type outgoing struct {
	*http.Transport
	tracer trace.Tracer
}

func (o outgoing) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := o.tracer.Start(r.Context(), r.Method, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.HTTPRequestMethodKey.String(r.Method), semconv.ServerAddress(r.URL.Hostname())))
	defer span.End()
	r = r.Clone(ctx)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(r.Header))
	resp, err := o.Transport.RoundTrip(r)
	if err != nil {
		span.SetStatus(codes.Error, "no response")
		return nil, err
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return resp, nil
}

// Observe is an Observer. It records nothing outside of a request.
func (t *Tracing) Observe(ctx context.Context, layer, operation string) (context.Context, func(error)) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, ignore
	}
	ctx, span := t.tracer.Start(ctx, operation, trace.WithAttributes(attribute.String("roster.layer", layer)))
	return ctx, func(err error) {
		outcome := Outcome(err)
		span.SetAttributes(attribute.String("roster.outcome", outcome))
		if failed(outcome) {
			span.SetStatus(codes.Error, outcome)
		}
		span.End()
	}
}

// exportTimeout bounds one attempt to send spans. maxAnswer is what is read of the receiver's answer, in bytes.
const (
	exportTimeout = 10 * time.Second
	maxAnswer     = 64 << 10
)

// receiver is the client of an OTLP receiver over HTTP. The library's own client links gRPC, which makes the binary larger
// by 6.5 MB.
type receiver struct {
	url    string
	client *http.Client
}

func (receiver) Start(context.Context) error { return nil }

func (receiver) Stop(context.Context) error { return nil }

// UploadTraces sends spans. TracesData has the wire form of ExportTraceServiceRequest (opentelemetry-proto, trace.proto).
func (r receiver) UploadTraces(ctx context.Context, spans []*otlp.ResourceSpans) error {
	body, err := proto.Marshal(&otlp.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()                         // nothing was written
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // so that the connection can be used again
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the receiver of spans answered %s", resp.Status)
	}
	return nil
}
