package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"roster/adapters/privatefile"
)

const maxFile = 1 << 20 // bytes of a configuration file

// file reads the configuration file: one YAML mapping of settings to values.
func (l *loader) file() layer {
	path := l.in.File
	if path == "" {
		return layer{}
	}
	data, info, reason := l.read(path, maxFile)
	if reason != "" {
		l.fault("", path, reason)
		return layer{}
	}
	root, reason := parseYAML(data)
	if reason != "" {
		l.fault("", path, reason)
		return layer{}
	}
	out := l.mapping(path, root)
	l.keptPrivate(out, info)
	return l.secrets(out, func(name string) string { return name })
}

// keptPrivate finds fault with secrets in a file that others can read.
func (l *loader) keptPrivate(in layer, info fs.FileInfo) {
	open := privatefile.Exposed(info)
	if open == "" {
		return
	}
	for _, s := range specs {
		g, ok := in[s.name]
		if !ok || s.secret == "" {
			continue
		}
		if d, err := ParseDatabase(g.text); s.secret == "url" && (err != nil || !d.secret()) {
			continue
		}
		l.fault(s.name, g.where, "is a secret, and of the file "+open)
	}
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// parseYAML returns the top of the only document in data, nil when it holds no settings. YAML's own
// messages quote the text at fault, which may be a secret, so only the line number is reported.
func parseYAML(data []byte) (root *yaml.Node, reason string) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, ""
	}
	if err == nil {
		if err = dec.Decode(&next); err == nil {
			return nil, "holds more than one YAML document"
		}
	}
	if !errors.Is(err, io.EOF) {
		near := ""
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			near = " near line " + m[1]
		}
		return nil, "is not valid YAML" + near + "; quote values that hold special characters or end in a colon"
	}
	root = doc.Content[0]
	switch {
	case root.ShortTag() == "!!null":
		return nil, ""
	case root.Kind != yaml.MappingNode:
		return nil, "must be a mapping of settings, such as page_size: 50"
	}
	return root, ""
}

// plainKey is what a key must look like to be repeated in a fault: a line gone wrong may hold a secret.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,40}$`)

// mapping reads the settings of a file, none when root is nil.
func (l *loader) mapping(path string, root *yaml.Node) layer {
	known := keys(func(name string) string { return name })
	out := layer{}
	if root == nil {
		return out
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		where := fmt.Sprintf("%s:%d", path, key.Line)
		if key.Kind != yaml.ScalarNode || !plainKey.MatchString(key.Value) {
			l.fault("", where, "unknown key")
			continue
		}
		where += ": " + key.Value
		name, ok := known[key.Value]
		if !ok {
			l.fault("", where, "unknown key"+meant(key.Value, "", known))
			continue
		}
		if _, twice := out[name]; twice {
			l.fault(name, where, "is given twice")
			continue
		}
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if reason := accepts(name, value); reason != "" {
			l.fault(name, where, reason)
			l.broken[strings.TrimSuffix(name, fileSuffix)] = true
			continue
		}
		out[name] = given{textOf(value), where, FromFile}
	}
	return out
}

// accepts says why a value of a file is not of the setting's type. YAML guesses types, so that text
// that looks like a number would change its form.
func accepts(name string, value *yaml.Node) (reason string) {
	tag := value.ShortTag()
	s, found := specNamed(name)
	switch {
	case found && s.typ == typeList && value.Kind == yaml.SequenceNode:
		if slices.ContainsFunc(value.Content, func(item *yaml.Node) bool { return item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" }) {
			return "must be a list of texts; put each in quotes"
		}
		return ""
	case value.Kind != yaml.ScalarNode:
		return "must be a single value, not a list or a mapping"
	case tag == "!!null":
		return "has no value"
	case found && s.typ == typeDuration:
		if tag != "!!str" && value.Value != "0" {
			return "must be a duration with its unit, such as 90s, 5m or 24h"
		}
	case found && s.typ.Kind() == reflect.Bool:
		if tag != "!!bool" {
			return "must be true or false"
		}
	case found && (s.typ.Kind() == reflect.Int || s.typ.Kind() == reflect.Int64):
		if tag != "!!int" {
			return "must be a whole number"
		}
	case tag != "!!str":
		return "must be text; put it in quotes"
	}
	return ""
}

// textOf returns a value as the other sources write it.
func textOf(value *yaml.Node) string {
	if value.Kind != yaml.SequenceNode {
		return value.Value
	}
	items := make(List, len(value.Content))
	for i, item := range value.Content {
		items[i] = item.Value
	}
	return items.String()
}
