package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"roster/bootstrap/config"
)

const flagConfig = "config"

// groupOf is the annotation that makes a flag a setting; its value is the heading it stands under.
const groupOf = "roster_setting_group"

// settingFlag is the text that a flag gives of a setting; package config judges it.
type settingFlag struct{ text, kind string }

// String implements pflag.Value.
func (f *settingFlag) String() string { return f.text }

// Set implements pflag.Value.
func (f *settingFlag) Set(text string) error { f.text = text; return nil }

// Type implements pflag.Value.
func (f *settingFlag) Type() string { return f.kind }

// IsBoolFlag tells pflag that the flag needs no value.
func (f *settingFlag) IsBoolFlag() bool { return f.kind == "bool" }

// addSettings makes every setting a flag of all commands.
func (p *program) addSettings(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&p.configFile, flagConfig, "", "read settings from a YAML `file`")
	for _, s := range config.Settings() {
		help := s.Help
		if len(s.Choices) > 0 {
			help += " (" + strings.Join(s.Choices, ", ") + ")"
		}
		f := flags.VarPF(&settingFlag{text: s.Value, kind: s.Type}, s.Flag, "", help)
		f.Annotations = map[string][]string{groupOf: {s.Group}}
		if s.Varies {
			f.DefValue = "by profile"
		}
		complete := cobra.NoFileCompletions
		switch {
		case s.Type == "bool":
			f.NoOptDefVal = "true"
			complete = cobra.FixedCompletions([]string{"true", "false"}, cobra.ShellCompDirectiveNoFileComp)
		case len(s.Choices) > 0:
			complete = cobra.FixedCompletions(s.Choices, cobra.ShellCompDirectiveNoFileComp)
		case s.Flag == "tls-cert", s.Flag == "tls-key":
			complete = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
		case s.Flag == "data-dir", s.Flag == "keys-dir":
			complete = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
		}
		must(root.RegisterFlagCompletionFunc(s.Flag, complete))
		if s.Secret {
			f := flags.VarPF(&settingFlag{kind: "file"}, s.Flag+"-file", "", "file that holds "+s.Name)
			f.Annotations = map[string][]string{groupOf: {s.Group}}
		}
	}
}

// settingsGiven returns the settings that the command line gives.
func settingsGiven(cmd *cobra.Command) map[string]string {
	given := map[string]string{}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Annotations[groupOf] != nil {
			given[f.Name] = f.Value.String()
		}
	})
	return given
}

// must stops at a mistake in the tables above, which every start would show.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
