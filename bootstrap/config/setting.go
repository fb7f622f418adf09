package config

import "fmt"

// Setting is one row of the table of settings.
type Setting struct {
	Name    string // the key in a file
	Env     string // the environment variable
	Flag    string // the flag, without dashes
	Group   string // heading under which it stands
	Help    string // one line
	Type    string // text, number, duration, or bool
	Choices []string
	Secret  bool   // Name_file, Env_FILE and Flag-file name a file that holds the value
	Varies  bool   // the profiles differ in it
	Value   string // as it may be shown: secrets as "(set)" or "(not set)"
	Source  Source // what gave the value
}

func (s spec) setting(value string, source Source) Setting {
	return Setting{
		Name: s.name, Env: s.env, Flag: s.flag, Group: s.group, Help: s.help, Choices: s.choices,
		Type: s.kind(), Secret: s.secret != "", Varies: s.varies(), Value: value, Source: source,
	}
}

// Settings returns every setting with its value in profile standard.
func Settings() []Setting {
	out := make([]Setting, len(specs))
	for i, s := range specs {
		out[i] = s.setting(s.standard, FromDefault)
	}
	return out
}

// Effective returns every setting as it is in force, without secrets.
func (c Config) Effective() []Setting {
	out := make([]Setting, len(specs))
	for i, s := range specs {
		source := c.source[s.name]
		if source == "" {
			source = FromDefault
		}
		out[i] = s.setting(show(c.value(s)), source)
	}
	return out
}

// String returns the settings in force, one per line, without secrets.
func (c Config) String() string {
	text := ""
	for _, s := range c.Effective() {
		text += fmt.Sprintf("%s: %s\n", s.Name, s.Value)
	}
	return text
}

// ProfileRow is one setting in which the profiles differ.
type ProfileRow struct {
	Setting                  string
	Django, Standard, Strict string
}

// Profiles returns the table of profiles: every setting in which they differ, as text that a file,
// a variable or a flag may give too.
func Profiles() []ProfileRow {
	var out []ProfileRow
	for _, s := range specs {
		if !s.varies() {
			continue
		}
		r := ProfileRow{Setting: s.name}
		r.Django, _ = s.in(django)
		r.Standard, _ = s.in(standard)
		r.Strict, _ = s.in(strict)
		out = append(out, r)
	}
	return out
}
