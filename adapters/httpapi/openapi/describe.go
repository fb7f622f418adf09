// Package openapi makes the OpenAPI description of the API (https://spec.openapis.org/oas/v3.1) as one service has it
// by its settings.
package openapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Settings are what the description depends on.
type Settings struct {
	Server          string // base URL of the API; "" for the host that serves the description
	Schemes         []string
	LoginField      string
	IntegerIDs      bool
	Registration    string // open, staff or closed
	AccessPolicy    string // open, directory or private
	Pagination      string // page, mixed or cursor
	PageSize        int
	MaxPageSize     int // 0: page_size in a request is ignored
	PasswordMin     int
	PasswordMax     int
	CurrentPassword bool // a change of the own password or address needs the current password
	Forms           bool
	DRF             bool // details of responses as DRF gives them; then /api/ has no list of the collections
	Rotation        bool // a refresh gives a new refresh token
	MaxBody         int64
	Mail            bool // links are mailed
	Browser         bool // browsers sign in with a cookie
	HideRegistered  bool // a registration does not show whether the address has an account
	AccessLifetime  time.Duration
	RefreshLifetime time.Duration

	AnonLimit, UserLimit, TokenLimit, RegisterLimit, MailLimit bool // the rate limits that are on
}

// Document is a description in both of its forms.
type Document struct{ JSON, YAML []byte }

//go:embed openapi.yaml
var source []byte

// conditions returns what a tag in openapi.yaml may require.
func (s Settings) conditions() map[string]bool {
	bearer := slices.ContainsFunc(s.Schemes, isBearer)
	return map[string]bool{
		"access_open": s.AccessPolicy == "open", "access_directory": s.AccessPolicy == "directory",
		"access_private": s.AccessPolicy == "private", "private": s.AccessPolicy == "private", "not_private": s.AccessPolicy != "private",
		"registration": s.Registration != "closed", "open": s.Registration == "open", "staff": s.Registration == "staff",
		"numbers": s.Pagination != "cursor", "numbers_only": s.Pagination == "page", "mixed": s.Pagination == "mixed",
		"cursors": s.Pagination != "page", "page_size": s.MaxPageSize > 0,
		"uuid": !s.IntegerIDs, "integer": s.IntegerIDs,
		"forms": s.Forms, "drf": s.DRF, "standard": !s.DRF, "root": !s.DRF,
		"rotation": s.Rotation, "no_rotation": !s.Rotation, "current_password": s.CurrentPassword,
		"bearer": bearer, "other_scheme": !bearer,
		"limited":    s.AnonLimit || s.UserLimit || s.TokenLimit || s.RegisterLimit || s.MailLimit,
		"mail":       s.Mail,
		"browser":    s.Browser,
		"hidden":     s.HideRegistered,
		"user_limit": s.UserLimit, "token_limit": s.AnonLimit || s.TokenLimit,
		"register_limit": s.AnonLimit || s.UserLimit || s.RegisterLimit,
	}
}

// values returns what stands for $(name) in openapi.yaml.
func (s Settings) values() *strings.Replacer {
	scheme := s.Schemes[0]
	if i := slices.IndexFunc(s.Schemes, isBearer); i >= 0 {
		scheme = s.Schemes[i]
	}
	server := strings.TrimSuffix(s.Server, "/")
	if server == "" {
		server = "/"
	}
	return strings.NewReplacer(
		"$(server)", server, "$(scheme)", scheme, "$(login_field)", s.LoginField,
		"$(page_size)", strconv.Itoa(s.PageSize), "$(max_page_size)", strconv.Itoa(max(s.PageSize, s.MaxPageSize)),
		"$(password_min)", strconv.Itoa(s.PasswordMin), "$(password_max)", strconv.Itoa(s.PasswordMax),
		"$(max_body)", strconv.FormatInt(s.MaxBody, 10),
		"$(access_lifetime)", duration(s.AccessLifetime), "$(refresh_lifetime)", duration(s.RefreshLifetime),
	)
}

// isBearer reports whether OpenAPI has a type for the scheme. Another one is described as a header.
func isBearer(scheme string) bool { return scheme == "Bearer" }

// duration returns d in whole units, such as "5 minutes".
func duration(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		switch {
		case d == u.size:
			return "1 " + u.name
		case d > u.size && d%u.size == 0:
			return fmt.Sprintf("%d %ss", d/u.size, u.name)
		}
	}
	return fmt.Sprintf("%g seconds", d.Seconds())
}

// Describe returns the description of a service with these settings. Schemes must not be empty.
func Describe(s Settings) (Document, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(source, &root); err != nil {
		return Document{}, fmt.Errorf("openapi.yaml: %w", err)
	}
	a := adapter{s.conditions(), s.values()}
	tree, _, err := a.adapt(root.Content[0])
	if err != nil {
		return Document{}, fmt.Errorf("openapi.yaml: %w", err)
	}
	tree.HeadComment = ""
	var doc Document
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(tree), enc.Close()); err != nil {
		return Document{}, err
	}
	doc.YAML = text.Bytes()
	doc.JSON, err = appendJSON(nil, tree)
	return doc, err
}

// adapter makes the description of one service.
type adapter struct {
	conditions map[string]bool
	values     *strings.Replacer
}

// adapt returns a copy of n without aliases, placeholders and what the conditions leave out. keep is false if they leave
// out n itself.
func (a adapter) adapt(n *yaml.Node) (out *yaml.Node, keep bool, err error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	tag := n.Tag
	if name, local := strings.CutPrefix(tag, "!"); local && !strings.HasPrefix(name, "!") {
		holds, known := a.conditions[name]
		if !known {
			return nil, false, fmt.Errorf("line %d: unknown condition %s", n.Line, name)
		}
		if !holds {
			return nil, false, nil
		}
		tag = ""
	}
	out = &yaml.Node{Kind: n.Kind, Tag: tag, Style: n.Style &^ yaml.TaggedStyle, Value: a.values.Replace(n.Value)}
	if out.Value != n.Value && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
		out.Tag = "" // a placeholder for a number is a number
	}
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i < len(n.Content); i += step {
		var parts []*yaml.Node
		for _, child := range n.Content[i : i+step] {
			part, keep, err := a.adapt(child)
			if err != nil {
				return nil, false, err
			}
			if keep {
				parts = append(parts, part)
			}
		}
		if len(parts) == step {
			out.Content = append(out.Content, parts...)
		}
	}
	return out, true, nil
}

// appendJSON appends n as JSON, with the members of objects in their order.
func appendJSON(b []byte, n *yaml.Node) ([]byte, error) {
	var err error
	switch n.Kind {
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, quote(n.Content[i].Value)...)
			b = append(b, ':')
			if b, err = appendJSON(b, n.Content[i+1]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, item := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, item); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case yaml.DocumentNode, yaml.ScalarNode, yaml.AliasNode: // adapt leaves scalars only
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	text, err := json.Marshal(v)
	return append(b, text...), err
}

func quote(s string) []byte {
	text, _ := json.Marshal(s) // text always has a form
	return text
}
