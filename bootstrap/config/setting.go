package config

import (
	_ "embed"
	"reflect"
	"strings"
	"time"
)

// Setting describes one setting and its value.
type Setting struct {
	Name    string // the key in a file
	Env     string // the environment variable
	Flag    string // the flag, without dashes
	Group   string // its heading in the help
	Help    string // one line
	Type    string // text, number, duration or bool
	Choices []string
	Secret  bool   // Name_file, Env_FILE and Flag-file name a file that holds the value
	Varies  bool   // the profiles differ in it
	Value   string // secrets as "(set)" or "(not set)"
	Source  Source // what gave the value

	profiles    map[string]string // the value in each profile
	least, most string            // of the rules min and max
	field       string            // of Config
	typ         reflect.Type
}

// The profiles, from the loosest to the strictest.
const (
	django   = "django"
	standard = "standard"
	strict   = "strict"
)

const (
	envPrefix  = "ROSTER_"
	fileSuffix = "_file"
)

// settings is every setting in profile standard, in the order of Config's fields.
var settings = readTags()

func readTags() []Setting {
	help := readHelp()
	var out []Setting
	for f := range reflect.TypeFor[Config]().Fields() {
		name, value := f.Tag.Get("name"), f.Tag.Get("default")
		if name == "" {
			continue
		}
		s := Setting{
			Name: name, Env: envOf(name), Flag: flagOf(name), Group: help[name].group, Help: help[name].text,
			Type: "text", Secret: f.Type == reflect.TypeFor[Secret]() || f.Type == reflect.TypeFor[Database](),
			Value: value, Source: FromDefault,
			profiles: map[string]string{standard: value}, field: f.Name, typ: f.Type,
		}
		for _, p := range []string{django, strict} {
			own, ok := f.Tag.Lookup(p)
			if !ok {
				own = value
			}
			s.profiles[p] = own
			s.Varies = s.Varies || ok && name != "profile"
		}
		switch {
		case f.Type == reflect.TypeFor[time.Duration]():
			s.Type = "duration"
		case f.Type.Kind() == reflect.Bool:
			s.Type = "bool"
		case f.Type.Kind() == reflect.Int, f.Type.Kind() == reflect.Int64:
			s.Type = "number"
		}
		for rule := range strings.SplitSeq(f.Tag.Get("validate"), ",") {
			switch tag, param, _ := strings.Cut(rule, "="); tag {
			case "oneof":
				s.Choices = strings.Fields(param)
			case "min":
				s.least = param
			case "max":
				s.most = param
			}
		}
		out = append(out, s)
	}
	return out
}

//go:embed settings.txt
var helpFile string

type helpText struct{ group, text string }

// readHelp returns what settings.txt says of each setting: its heading, and the lines below its name as one.
func readHelp() map[string]helpText {
	out, group := map[string]helpText{}, ""
	for block := range strings.SplitSeq(strings.TrimSpace(helpFile), "\n\n") {
		name, text, _ := strings.Cut(block, "\n")
		if heading, ok := strings.CutPrefix(name, "# "); ok {
			group = heading
			continue
		}
		out[name] = helpText{group, strings.Join(strings.Fields(text), " ")}
	}
	return out
}

func envOf(name string) string  { return envPrefix + strings.ToUpper(name) }
func flagOf(name string) string { return strings.ReplaceAll(name, "_", "-") }
func dashed(name string) string { return "--" + flagOf(name) }

// find returns the setting for which match is true, or the zero Setting.
func find(match func(Setting) bool) Setting {
	for _, s := range settings {
		if match(s) {
			return s
		}
	}
	return Setting{}
}

func named(name string) Setting    { return find(func(s Setting) bool { return s.Name == name }) }
func ofField(field string) Setting { return find(func(s Setting) bool { return s.field == field }) }

// keys returns every key that may be given, spelled by f: the settings, and the files of secrets.
func keys(f func(name string) string) map[string]string {
	out := map[string]string{}
	for _, s := range settings {
		out[f(s.Name)] = s.Name
		if s.Secret {
			out[f(s.Name+fileSuffix)] = s.Name + fileSuffix
		}
	}
	return out
}

// Settings returns every setting with its value in profile standard.
func Settings() []Setting { return settings }

// Effective returns every setting with its value in c.
func (c Config) Effective() []Setting {
	out := make([]Setting, len(settings))
	for i, s := range settings {
		s.Value, s.Source = show(c.value(s)), c.source[s.Name]
		out[i] = s
	}
	return out
}
