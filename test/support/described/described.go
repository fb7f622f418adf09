// Package described checks requests and responses against the OpenAPI description that a service serves of itself.
package described

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// API is what a description says.
type API struct {
	doc    *openapi3.T
	router routers.Router
	mu     sync.Mutex // kin-openapi compiles schemas when they are first used
}

// Load reads a description, which must be valid, with its examples.
func Load(raw []byte) (*API, error) {
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(openapi3.NewLoader().Context); err != nil {
		return nil, err
	}
	doc.Servers = nil // the service is asked at an address of the test
	router, err := gorillamux.NewRouter(doc)
	return &API{doc: doc, router: router}, err
}

// Document returns the description.
func (a *API) Document() *openapi3.T { return a.doc }

var (
	byInstance sync.Map // the API of each instance
	byContent  sync.Map // many instances have the same
)

// Of returns the description of the service at url, and asks for it once for each instance. The URL does not identify the
// service: the port of one that has ended is used again.
func Of(instance any, url string) (*API, error) {
	if known, ok := byInstance.Load(instance); ok {
		return known.(*API), nil
	}
	resp, err := http.Get(url + "/api/schema/")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("no description: status %d: %w", resp.StatusCode, err)
	}
	known, ok := byContent.Load(string(raw))
	if !ok {
		api, err := Load(raw)
		if err != nil {
			return nil, err
		}
		known, _ = byContent.LoadOrStore(string(raw), api)
	}
	byInstance.Store(instance, known)
	return known.(*API), nil
}

// undescribed are the statuses of responses that no operation lists: redirects, methods that are not allowed, and
// OPTIONS.
var undescribed = []int{301, 308, 405}

// formats are those that kin-openapi does not check by itself.
var formats = []openapi3.SchemaValidationOption{
	openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
}

// headers are those that a response may have only if its description does.
var headers = []string{"ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate"}

// input returns the operation that is described for r, with its parameters. body is what r sends.
func (a *API) input(r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	head := r.Method == http.MethodHead
	r = r.Clone(r.Context())
	if head {
		r.Method = http.MethodGet
	}
	r.Host, r.URL.Host, r.URL.Scheme = "", "", ""
	r.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := a.router.FindRoute(r)
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
			ExcludeResponseBody: head, SkipSettingDefaults: true, SchemaValidationOptions: formats,
		},
	}, err
}

// CheckRequest returns what of a request is not as described. body is what it sends. A request for no described
// operation passes.
func (a *API) CheckRequest(r *http.Request, body []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	in, err := a.input(r, body)
	if err != nil {
		return nil //nolint:nilerr // CheckResponse reports it, if it matters
	}
	in.Options.ExcludeRequestBody = len(body) == 0 && (in.Route.Operation.RequestBody == nil || !in.Route.Operation.RequestBody.Value.Required)
	return openapi3filter.ValidateRequest(r.Context(), in)
}

// CheckResponse returns what of the response to r is not as described.
func (a *API) CheckResponse(r *http.Request, status int, header http.Header, response []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	in, err := a.input(r, nil)
	if err != nil {
		return a.checkUndescribed(r, status, header, response)
	}
	op := in.Route.Operation
	described := op.Responses.Value(strconv.Itoa(status))
	if described == nil {
		if !slices.Contains(undescribed, status) && (status != http.StatusNotFound || !r.URL.Query().Has("format")) {
			return fmt.Errorf("status %d is not described for %s", status, op.OperationID)
		}
		described = op.Responses.Default()
	}
	for _, name := range headers {
		if header.Get(name) != "" && described.Value.Headers[name] == nil {
			return fmt.Errorf("the header %s is not described for status %d of %s", name, status, op.OperationID)
		}
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(response)), Options: in.Options,
	})
}

// checkUndescribed checks the response to a request for no described operation: an error in one of its two forms, a
// redirect, or the description that OPTIONS gives.
func (a *API) checkUndescribed(r *http.Request, status int, header http.Header, response []byte) error {
	if status < 400 {
		if status >= 300 || r.Method == http.MethodOptions || !strings.HasPrefix(r.URL.Path, "/api/") {
			return nil
		}
		return errors.New("no operation is described for a request that succeeded")
	}
	name := "Error"
	if header.Get("Content-Type") == "application/problem+json" {
		name = "Problem"
	}
	if len(response) == 0 {
		return nil
	}
	var value any
	if err := json.Unmarshal(response, &value); err != nil {
		return err
	}
	return a.doc.Components.Schemas[name].Value.VisitJSON(value, openapi3.EnableJSONSchema2020())
}
