package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"roster/adapters/privatefile"
)

const (
	maxFile   = 1 << 20 // bytes of a configuration file
	maxSecret = 1 << 16 // bytes of a file with a secret
)

// file reads the configuration file: one YAML mapping of settings to values.
func (l *loader) file() layer {
	path := l.in.File
	if path == "" {
		return layer{}
	}
	data, info, reason := l.read(path, maxFile)
	var root *yaml.Node
	if reason == "" {
		root, reason = parseYAML(data)
	}
	if reason != "" {
		l.fault(path, reason)
		return layer{}
	}
	out := l.mapping(path, root)
	if open := privatefile.Exposed(info); open != "" {
		for _, s := range settings {
			if g, ok := out[s.Name]; ok && s.holdsSecret(g.text) {
				l.fault(g.where, "is a secret, and of the file "+open)
			}
		}
	}
	return l.secrets(out, func(name string) string { return name })
}

// holdsSecret reports whether a value of the setting must be hidden; a URL without a password need not be.
func (s Setting) holdsSecret(text string) bool {
	if s.typ == reflect.TypeFor[Database]() {
		d, err := ParseDatabase(text)
		return err == nil && d.secret()
	}
	if s.Name == "mail" {
		u, err := url.Parse(text)
		return err != nil || u.User != nil
	}
	return s.Secret
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// parseYAML returns the top of the only document in data, nil when it holds no settings. The errors of package yaml
// quote the text, which may be a secret, so only their line number is used.
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

// plainKey is a key that a fault may repeat; any other may be a secret on a malformed line.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,40}$`)

// mapping reads the settings of a file, none when root is nil.
func (l *loader) mapping(path string, root *yaml.Node) layer {
	known := keys(func(name string) string { return name })
	out := layer{}
	for i := 0; root != nil && i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		where := fmt.Sprintf("%s:%d", path, key.Line)
		if key.Kind != yaml.ScalarNode || !plainKey.MatchString(key.Value) {
			l.fault(where, "unknown key")
			continue
		}
		where += ": " + key.Value
		name, ok := known[key.Value]
		if !ok {
			l.fault(where, "unknown key"+meant(key.Value, known))
			continue
		}
		if _, twice := out[name]; twice {
			l.fault(where, "is given twice")
			continue
		}
		text, reason := textOf(named(name), value)
		if reason != "" {
			l.fault(where, reason)
			l.broken[strings.TrimSuffix(name, fileSuffix)] = true
			continue
		}
		out[name] = given{text, where, FromFile}
	}
	return out
}

// textOf returns a value of a file as the other sources write it, or the reason why it has not the type of the setting:
// YAML would take a text that looks like a number for one. For the file of a secret s is the zero Setting.
func textOf(s Setting, value *yaml.Node) (text, reason string) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	form, known := forms[s.Type]
	if !known {
		form = forms["text"]
	}
	switch tag := value.ShortTag(); {
	case value.Kind == yaml.SequenceNode && s.typ == reflect.TypeFor[List]():
		var items List
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" {
				return "", "must be a list of texts; put each in quotes"
			}
			items = append(items, item.Value)
		}
		return items.String(), ""
	case value.Kind != yaml.ScalarNode:
		return "", "must be a single value, not a list or a mapping"
	case tag == "!!null":
		return "", "has no value"
	case tag != form.yaml && !(s.Type == "duration" && value.Value == "0"):
		return "", form.must
	}
	return value.Value, ""
}

// secrets replaces the names of files by the secrets in them. spell names a setting as the source of the layer does.
func (l *loader) secrets(in layer, spell func(name string) string) layer {
	for _, s := range settings {
		path, byFile := in[s.Name+fileSuffix]
		direct, byValue := in[s.Name]
		delete(in, s.Name+fileSuffix)
		fault := func(where, reason string) {
			l.fault(where, reason)
			l.broken[s.Name] = true
		}
		switch {
		case !s.Secret:
		case byFile && byValue:
			l.fault(path.where, "cannot be given together with "+spell(s.Name))
		case byFile:
			text, reason := l.secretFile(path.text)
			if reason != "" {
				fault(path.where, fmt.Sprintf("%q %s", path.text, reason))
				continue
			}
			in[s.Name] = given{text, path.where, path.source}
		case byValue && direct.text == "":
			fault(direct.where, "is empty; give a value or leave it out")
			delete(in, s.Name)
		}
	}
	return in
}

func (l *loader) secretFile(path string) (text, reason string) {
	data, info, reason := l.read(path, maxSecret)
	if reason == denied {
		return "", fmt.Sprintf("%s for user %d; %s", denied, os.Geteuid(), privatefile.Mounted)
	}
	if reason != "" {
		return "", reason
	}
	if open := privatefile.Exposed(info); open != "" {
		return "", "is a secret, and " + open + "; " + privatefile.Mounted
	}
	text = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if strings.TrimSpace(text) == "" {
		return "", "is empty"
	}
	return text, ""
}

// read returns the content and the description of a small regular file, or the reason why it cannot.
func (l *loader) read(path string, most int64) (data []byte, info fs.FileInfo, reason string) {
	if l.in.Stat == nil || l.in.ReadFile == nil {
		return nil, nil, "cannot be read: no access to files"
	}
	info, err := l.in.Stat(path)
	switch {
	case err != nil:
		return nil, nil, because(err)
	case info.IsDir():
		return nil, nil, "is a directory"
	case !info.Mode().IsRegular():
		return nil, nil, "is not a regular file"
	case info.Size() > most:
		return nil, nil, fmt.Sprintf("is longer than %d bytes", most)
	}
	if data, err = l.in.ReadFile(path); err != nil {
		return nil, nil, because(err)
	}
	marks := []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"}
	switch {
	case slices.ContainsFunc(marks, func(mark string) bool { return bytes.HasPrefix(data, []byte(mark)) }):
		return nil, nil, "begins with a byte order mark; save it as UTF-8 without one"
	case bytes.IndexByte(data, 0) >= 0:
		return nil, nil, "holds NUL characters"
	}
	return data, info, ""
}

// denied is the reason of a file that this process may not read.
const denied = "cannot be read: permission denied"

func because(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "cannot be read: there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return denied
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // without the path, which the fault names
	}
	return "cannot be read: " + err.Error()
}
