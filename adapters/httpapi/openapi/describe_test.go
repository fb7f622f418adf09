package openapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"roster/adapters/httpapi/openapi"
	"roster/domain/audit"
)

// standard is the settings of profile standard.
func standard() openapi.Settings {
	return openapi.Settings{
		Schemes: []string{"Bearer"}, LoginField: "email", Registration: "open", AccessPolicy: "directory",
		Pagination: "mixed", PageSize: 20, MaxPageSize: 100, PasswordMin: 8, PasswordMax: 1024, Forms: true, Rotation: true, Mail: true,
		MaxBody: 65536, AccessLifetime: 5 * time.Minute, RefreshLifetime: 24 * time.Hour,
		UserLimit: true, TokenLimit: true, RegisterLimit: true,
	}
}

// variants are settings that together have each value of each.
var variants = map[string]func(*openapi.Settings){
	"standard": func(*openapi.Settings) {},
	"strict": func(s *openapi.Settings) {
		s.AccessPolicy, s.Pagination, s.PasswordMin, s.CurrentPassword, s.Forms = "private", "cursor", 15, true, false
		s.Browser = true
	},
	"django": func(s *openapi.Settings) {
		s.AccessPolicy, s.Pagination, s.MaxPageSize, s.PasswordMax, s.DRF, s.Rotation = "open", "page", 0, 128, true, false
		s.IntegerIDs = true
		s.UserLimit, s.TokenLimit, s.RegisterLimit = false, false, false
	},
	"other": func(s *openapi.Settings) {
		s.Server, s.Schemes, s.LoginField, s.Registration = "https://id.example.org/accounts/", []string{"JWT", "Token"}, "username", "staff"
		s.AnonLimit, s.AccessLifetime, s.PageSize = true, 90*time.Second, 500
	},
	"closed": func(s *openapi.Settings) { s.Registration, s.Mail = "closed", false },
}

func describe(t *testing.T, change func(*openapi.Settings)) (openapi.Document, *openapi3.T) {
	t.Helper()
	s := standard()
	change(&s)
	doc, err := openapi.Describe(s)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := openapi3.NewLoader().LoadFromData(doc.JSON)
	if err != nil {
		t.Fatal(err)
	}
	return doc, parsed
}

// Every variant is valid OpenAPI 3.1, examples included, and the same in both forms.
func TestDescriptionIsValid(t *testing.T) {
	for name, change := range variants {
		t.Run(name, func(t *testing.T) {
			doc, parsed := describe(t, change)
			if err := parsed.Validate(t.Context()); err != nil {
				t.Error(err)
			}
			if left := regexp.MustCompile(`\$\([a-z_]*\)`).Find(doc.YAML); left != nil {
				t.Errorf("%s has no value", left)
			}
			var fromJSON, fromYAML any
			if err := json.Unmarshal(doc.JSON, &fromJSON); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(doc.YAML, &fromYAML); err != nil {
				t.Fatal(err)
			}
			again, err := json.Marshal(fromYAML)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(again, &fromYAML); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fromJSON, fromYAML); diff != "" {
				t.Errorf("JSON and YAML differ: %s", diff)
			}
		})
	}
}

// Every variant keeps the rules of style: linters for OpenAPI ask for them, and generated clients show what they say.
func TestDescriptionKeepsStyle(t *testing.T) {
	for name, change := range variants {
		t.Run(name, func(t *testing.T) {
			doc, parsed := describe(t, change)
			for _, fault := range styleFaults(parsed, string(doc.JSON)) {
				t.Error(fault)
			}
		})
	}
}

var operationID = regexp.MustCompile(`^[a-z][A-Za-z]+$`)

// styleFaults returns where a description breaks a rule of style.
func styleFaults(doc *openapi3.T, text string) (faults []string) {
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	tags, ids := map[string]bool{}, map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = false
		if tag.Description == "" {
			report("tag %s has no description", tag.Name)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			at := method + " " + path
			if !operationID.MatchString(op.OperationID) || ids[op.OperationID] {
				report("%s: the operation id %q is not camelCase, or not the only one", at, op.OperationID)
			}
			ids[op.OperationID] = true
			if op.Summary == "" || op.Description == "" || strings.HasSuffix(op.Summary, ".") || !strings.HasSuffix(op.Description, ".") {
				report("%s: a summary without a full stop and a description with one are needed: %q, %q", at, op.Summary, op.Description)
			}
			if len(op.Tags) != 1 {
				report("%s: one tag is needed", at)
			}
			for _, tag := range op.Tags {
				if _, known := tags[tag]; !known {
					report("%s: the tag %s is not declared", at, tag)
				}
				tags[tag] = true
			}
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				if p.Value.Description == "" {
					report("%s: parameter %s has no description", at, p.Value.Name)
				}
			}
			if op.Responses.Default() == nil {
				report("%s: no default response", at)
			}
			secured := op.Security == nil || len(*op.Security) > 0
			if secured && op.Responses.Value("401") == nil {
				report("%s: takes a token, and has no 401", at)
			}
			for status, r := range op.Responses.Map() {
				if status != "304" && r.Value.Headers["X-Request-Id"] == nil {
					report("%s: %s has no X-Request-Id", at, status)
				}
			}
		}
	}
	for tag, used := range tags {
		if !used {
			report("tag %s is not used", tag)
		}
	}
	if doc.Components == nil {
		return faults
	}
	for kind, names := range map[string][]string{
		"schemas": slices.Collect(maps.Keys(doc.Components.Schemas)), "responses": slices.Collect(maps.Keys(doc.Components.Responses)),
		"parameters": slices.Collect(maps.Keys(doc.Components.Parameters)), "headers": slices.Collect(maps.Keys(doc.Components.Headers)),
	} {
		for _, name := range names {
			if !strings.Contains(text, `"#/components/`+kind+"/"+name+`"`) {
				report("%s/%s is not used", kind, name)
			}
		}
	}
	return faults
}

// The rules of style find what they are for.
func TestStyleRulesBite(t *testing.T) {
	const head = `{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "tags": [{"name": "a", "description": "A."}], `
	for want, text := range map[string]string{
		"is not camelCase":      `"paths": {"/x": {"get": {"operationId": "get_x", "responses": {}}}}}`,
		"a summary":             `"paths": {"/x": {"get": {"operationId": "getX", "responses": {}}}}}`,
		"is not declared":       `"paths": {"/x": {"get": {"tags": ["b"], "responses": {}}}}}`,
		"has no 401":            `"paths": {"/x": {"get": {"responses": {}}}}}`,
		"no X-Request-Id":       `"paths": {"/x": {"get": {"responses": {"200": {"description": "x"}}}}}}`,
		"tag a is not used":     `"paths": {}}`,
		"schemas/X is not used": `"paths": {}, "components": {"schemas": {"X": {}}}}`,
		"parameter q has no":    `"paths": {"/x": {"get": {"parameters": [{"name": "q", "in": "query", "schema": {}}], "responses": {}}}}}`,
	} {
		doc, err := openapi3.NewLoader().LoadFromData([]byte(head + text))
		if err != nil {
			t.Fatal(err)
		}
		if faults := strings.Join(styleFaults(doc, text), "\n"); !strings.Contains(faults, want) {
			t.Errorf("no %q in\n%s", want, faults)
		}
	}
}

// The description is that of the settings.
func TestDescriptionFollowsSettings(t *testing.T) {
	texts := map[string]string{}
	for name, change := range variants {
		doc, _ := describe(t, change)
		texts[name] = string(doc.JSON)
	}
	for part, in := range map[string][]string{
		`"servers":[{"url":"/"}]`:                               {"standard", "strict", "django", "closed"},
		`"servers":[{"url":"https://id.example.org/accounts"}]`: {"other"},
		`"scheme":"bearer"`:                                     {"standard", "strict", "django", "closed"},
		`"x-scheme":"JWT"`:                                      {"other"},
		`"required":["username","password"]`:                    {"other"},
		`"operationId":"registerUser"`:                          {"standard", "strict", "django", "other"},
		`Needs no token.`:                                       {"standard", "strict", "django"},
		`"minLength":15`:                                        {"strict"},
		`"maxLength":128`:                                       {"django"},
		`"current_password":{"type":"string","format":"password","description"`: {"strict"},
		`"multipart/form-data"`:                  {"standard", "django", "other", "closed"},
		`"format":"uuid"`:                        {"standard", "strict", "other", "closed"},
		`"UserID":{"type":"integer","minimum":1`: {"django"},
		`"name":"page"`:                          {"standard", "django", "other", "closed"},
		`"#/components/parameters/PageSize"`:     {"standard", "strict", "other", "closed"},
		`"maximum":500,"default":500`:            {"other"},
		`"required":["access","refresh"]`:        {"standard", "strict", "other", "closed"},
		`"Token is blacklisted"]}`:               {"django"},
		`"/api/":{`:                              {"standard", "strict", "other", "closed"},
		`RateLimitPolicy`:                        {"standard", "strict", "other", "closed"},
		`"/api/users/reset_password/":{`:         {"standard", "strict", "django", "other"},
		`"/api/users/set_password/":{`:           {"standard", "strict", "django", "other", "closed"},
		`"email_verified":{`:                     {"standard", "strict", "other", "closed"},
		`good for 90 seconds`:                    {"other"},
		`good for 1 day`:                         {"standard", "strict", "django", "other", "closed"},
	} {
		for name, text := range texts {
			if wanted := slices.Contains(in, name); strings.Contains(text, part) != wanted {
				t.Errorf("%s: has %s: %t, want %t", name, part, !wanted, wanted)
			}
		}
	}
}

// The kinds of events are those that the trail has.
func TestDescriptionHasEveryKindOfEvent(t *testing.T) {
	_, doc := describe(t, variants["standard"])
	var got []audit.Kind
	for _, v := range doc.Components.Schemas["EventKind"].Value.Enum {
		got = append(got, audit.Kind(v.(string)))
	}
	if diff := cmp.Diff(audit.Kinds(), got); diff != "" {
		t.Error(diff)
	}
}
