package config

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Sources is where the settings come from. Load looks at nothing else.
type Sources struct {
	File     string            // the configuration file, "" for none
	Environ  []string          // as os.Environ returns it
	Flags    map[string]string // the flags given, by name without dashes
	Unsigned bool              // what the settings are for signs no tokens: a missing signing key is no fault
	ReadFile func(name string) ([]byte, error)
	Stat     func(name string) (fs.FileInfo, error)
}

// FileVariable is the variable that names the configuration file where no flag does.
const FileVariable = envPrefix + "CONFIG"

// Source says what gave a setting its value.
type Source string

// The sources, each stronger than the one before.
const (
	FromDefault     Source = "default"
	FromProfile     Source = "profile"
	FromFile        Source = "file"
	FromEnvironment Source = "environment"
	FromFlag        Source = "flag"
)

// given is a value as one source gives it.
type given struct {
	text   string
	where  string
	source Source
}

// layer is what one source gives, by the settings' names.
type layer map[string]given

// loader collects faults while the sources are read.
type loader struct {
	in     Sources
	faults Faults
	broken map[string]bool // settings that have no value, since the one given is at fault
}

func (l *loader) fault(key, where, reason string) {
	l.faults = append(l.faults, Fault{Key: key, Where: where, Reason: reason})
}

// Load returns the settings in force: defaults, under the profile's, the file's, the environment's, the
// flags'. When anything is wrong, the error is Faults: all of it, and the Config is of no use.
func Load(in Sources) (Config, error) {
	l := &loader{in: in, broken: map[string]bool{}}
	layers := []layer{l.file(), l.environ(), l.flags()}
	profile := l.profile(layers)

	where := map[string]string{}
	cfg := Config{source: map[string]Source{}, where: where}
	for _, s := range specs {
		text, own := s.in(profile)
		v, _ := s.parse(text)
		where[s.name], cfg.source[s.name] = s.env, FromDefault
		if own {
			cfg.source[s.name] = FromProfile
		}
		for _, ly := range layers {
			g, ok := ly[s.name]
			if !ok {
				continue
			}
			var reason string
			if v, reason = s.parse(g.text); reason != "" {
				l.fault(s.name, g.where, reason)
			}
			where[s.name], cfg.source[s.name] = g.where, g.source
		}
		if v == nil {
			l.broken[s.name] = true
			continue
		}
		cfg.set(s, v)
	}
	cfg.settle()
	l.faults = append(l.faults, cfg.check(where, l.broken, in.Unsigned)...)
	if len(l.faults) > 0 {
		return Config{}, l.faults
	}
	return cfg, nil
}

// profile returns the profile that the strongest source names; the standard one when that is unknown,
// so that the rest can be judged too.
func (l *loader) profile(layers []layer) string {
	name := standard
	for _, ly := range layers {
		if g, ok := ly["profile"]; ok {
			name = strings.ToLower(g.text)
		}
	}
	if s, _ := specNamed("profile"); !slices.Contains(s.choices, name) {
		return standard
	}
	return name
}

// settle derives what depends on other settings.
func (c *Config) settle() {
	if c.SigningKey.Set() && !c.given("signing_algorithm") {
		c.SigningAlgorithm = c.SigningKey.algorithm()
		c.source["signing_algorithm"] = c.source["signing_key"]
	}
	c.PublicURL = trimSlashes(c.PublicURL)
}

// Origin says what a setting is and where that comes from, as "data_dir is ./data, from default".
func (c Config) Origin(name string) string {
	s, _ := specNamed(name)
	from := string(c.source[name])
	if c.given(name) {
		from = c.where[name]
	}
	return fmt.Sprintf("%s is %s, from %s", name, show(c.value(s)), from)
}

// Where names what gives a setting its value: the variable, the flag or the place in a file; of a default the
// variable that changes it, and the value.
func (c Config) Where(name string) string {
	s, _ := specNamed(name)
	if c.given(name) {
		return c.where[name]
	}
	return fmt.Sprintf("%s (%s by default)", s.env, show(c.value(s)))
}

// given reports whether the value is neither a default nor that of a profile.
func (c *Config) given(name string) bool {
	switch c.source[name] {
	case FromFile, FromEnvironment, FromFlag:
		return true
	case FromDefault, FromProfile:
	}
	return false
}

// flags reads the flags given.
func (l *loader) flags() layer {
	known := keys(flagOf)
	out := layer{}
	for _, flag := range slices.Sorted(maps.Keys(l.in.Flags)) {
		name, ok := known[flag]
		if !ok {
			l.fault("", "--"+flag, "unknown flag"+meant(flag, "--", known))
			continue
		}
		out[name] = given{l.in.Flags[flag], "--" + flag, FromFlag}
	}
	return l.secrets(out, func(name string) string { return "--" + flagOf(name) })
}
