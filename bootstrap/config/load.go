package config

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Sources is where the settings come from. Load reads nothing else.
type Sources struct {
	File     string            // the configuration file, "" for none
	Environ  []string          // as os.Environ returns it
	Flags    map[string]string // the flags given, by name without dashes
	Unsigned bool              // no tokens are signed: a missing signing key is no fault
	ReadFile func(name string) ([]byte, error)
	Stat     func(name string) (fs.FileInfo, error)
}

// FileVariable is the variable that names the configuration file unless a flag does.
const FileVariable = envPrefix + "CONFIG"

// Source is what gave a setting its value.
type Source string

// The sources, each stronger than the one before.
const (
	FromDefault     Source = "default"
	FromProfile     Source = "profile"
	FromFile        Source = "file"
	FromEnvironment Source = "environment"
	FromFlag        Source = "flag"
)

// Fault is one thing wrong with the configuration.
type Fault struct {
	Where  string // a variable, a flag, or a file and its line
	Reason string // what is wrong, without any secret
}

// String returns the fault as one line.
func (f Fault) String() string { return f.Where + ": " + f.Reason }

// Faults is everything wrong with the configuration, as an error of one line each.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// given is a value as one source gives it.
type given struct {
	text   string
	where  string
	source Source
}

// layer is what one source gives, by the names of the settings.
type layer map[string]given

// loader makes one Config, and collects what is wrong with the sources.
type loader struct {
	in     Sources
	cfg    Config
	faults Faults
	broken map[string]bool // settings without a valid value
}

func (l *loader) fault(where, reason string) { l.faults = append(l.faults, Fault{where, reason}) }

// Load returns the settings of the defaults, the profile, the file, the environment and the flags, of which each
// overrides those before it. If anything is wrong, the error is Faults, all of them, and the Config is empty.
func Load(in Sources) (Config, error) {
	l := &loader{in: in, broken: map[string]bool{}, cfg: Config{source: map[string]Source{}, where: map[string]string{}}}
	layers := []layer{l.file(), l.environ(), l.flags()}
	profile := l.profile(layers)
	for _, s := range settings {
		if !l.settle(s, profile, layers) {
			l.broken[s.Name] = true
		}
	}
	l.check()
	if len(l.faults) > 0 {
		return Config{}, l.faults
	}
	return l.cfg, nil
}

// settle gives a setting the value of its strongest source. It reports whether that is valid.
func (l *loader) settle(s Setting, profile string, layers []layer) bool {
	g := given{s.profiles[profile], s.Env, FromDefault}
	if g.text != s.profiles[standard] {
		g.source = FromProfile
	}
	v, reason := s.parse(g.text)
	for _, ly := range layers {
		own, ok := ly[s.Name]
		if !ok {
			continue
		}
		g = own
		if v, reason = s.parse(g.text); reason != "" {
			l.fault(g.where, reason)
		}
	}
	l.cfg.where[s.Name], l.cfg.source[s.Name] = g.where, g.source
	if reason == "" {
		l.cfg.set(s, v)
	}
	return reason == ""
}

// profile returns the profile that the strongest source names. It returns standard if there is no such profile, so
// that the other settings can be checked too.
func (l *loader) profile(layers []layer) string {
	name := standard
	for _, ly := range layers {
		if g, ok := ly["profile"]; ok {
			name = strings.ToLower(g.text)
		}
	}
	if !slices.Contains(named("profile").Choices, name) {
		return standard
	}
	return name
}

// Given reports whether the file, the environment or a flag gives the setting.
func (c Config) Given(name string) bool {
	return c.source[name] != FromDefault && c.source[name] != FromProfile
}

// Where returns the variable, the flag or the place in a file that gives a setting its value; for a default the
// variable that changes it, and the value.
func (c Config) Where(name string) string {
	if c.Given(name) {
		return c.where[name]
	}
	return fmt.Sprintf("%s (%s by default)", c.where[name], show(c.value(named(name))))
}

// serviceLinks are the variables that Kubernetes and Docker set in every container beside a service whose name begins
// with "roster", except its _PORT, which is a URL.
var serviceLinks = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)

// environ reads the variables ROSTER_*.
func (l *loader) environ() layer {
	values := map[string]string{}
	for _, entry := range l.in.Environ {
		variable, value, _ := strings.Cut(entry, "=")
		link := serviceLinks.MatchString(variable) || strings.HasSuffix(variable, "_PORT") && strings.Contains(value, "://")
		if strings.HasPrefix(variable, envPrefix) && !link {
			values[variable] = value
		}
	}
	return l.collect(values, FromEnvironment, "variable", envOf)
}

// flags reads the flags given.
func (l *loader) flags() layer {
	values := map[string]string{}
	for flag, value := range l.in.Flags {
		values["--"+flag] = value
	}
	return l.collect(values, FromFlag, "flag", dashed)
}

// collect returns the layer of values. spell makes their keys of the names of settings; any other key is a fault, since it
// may be a misspelt setting. kind is what a key is.
func (l *loader) collect(values map[string]string, source Source, kind string, spell func(name string) string) layer {
	known, out := keys(spell), layer{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if name, ok := known[key]; ok {
			out[name] = given{values[key], key, source}
		} else {
			l.fault(key, "unknown "+kind+meant(key, known))
		}
	}
	return l.secrets(out, spell)
}
