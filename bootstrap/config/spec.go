package config

import (
	"reflect"
	"strings"
)

// spec is what the tags of one field of Config say.
type spec struct {
	name, env, flag string
	group, help     string
	secret          string // "", "key" or "url"
	standard        string // the value in profile standard
	byProfile       map[string]string
	choices         []string // of oneof
	least, most     string   // of min and max
	field           int
	typ             reflect.Type
	structField     string
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

// specs is the table of settings, in the order of Config's fields.
var specs = readSpecs()

func readSpecs() []spec {
	var out []spec
	group := ""
	for i, t := 0, reflect.TypeFor[Config](); i < t.NumField(); i++ {
		f := t.Field(i)
		name, ok := f.Tag.Lookup("name")
		if !ok {
			continue
		}
		if g, ok := f.Tag.Lookup("group"); ok {
			group = g
		}
		s := spec{
			name: name, env: envOf(name), flag: flagOf(name),
			group: group, help: f.Tag.Get("help"), secret: f.Tag.Get("secret"),
			standard: f.Tag.Get("default"), byProfile: map[string]string{},
			field: i, typ: f.Type, structField: f.Name,
		}
		for _, p := range []string{django, strict} {
			if v, ok := f.Tag.Lookup(p); ok {
				s.byProfile[p] = v
			}
		}
		for rule := range strings.SplitSeq(f.Tag.Get("validate"), ",") {
			switch tag, param, _ := strings.Cut(rule, "="); tag {
			case "oneof":
				s.choices = strings.Fields(param)
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

func envOf(name string) string  { return envPrefix + strings.ToUpper(name) }
func flagOf(name string) string { return strings.ReplaceAll(name, "_", "-") }

// in returns the value in a profile, and whether the profile has one of its own.
func (s spec) in(profile string) (value string, own bool) {
	if v, ok := s.byProfile[profile]; ok {
		return v, true
	}
	return s.standard, false
}

// varies reports whether the profiles differ in the setting.
func (s spec) varies() bool { return len(s.byProfile) > 0 && s.name != "profile" }

func specNamed(name string) (spec, bool) {
	for _, s := range specs {
		if s.name == name {
			return s, true
		}
	}
	return spec{}, false
}

func specOfField(structField string) spec {
	for _, s := range specs {
		if s.structField == structField {
			return s
		}
	}
	return spec{}
}

// keys returns every key that may be given, spelled by f: the settings, and the files of secrets.
func keys(f func(name string) string) map[string]string {
	out := map[string]string{}
	for _, s := range specs {
		out[f(s.name)] = s.name
		if s.secret != "" {
			out[f(s.name+fileSuffix)] = s.name + fileSuffix
		}
	}
	return out
}
