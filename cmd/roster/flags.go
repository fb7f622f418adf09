package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"roster/bootstrap/config"
	"roster/domain/field"
	"roster/ports/inbound"
)

// Names of flags.
const (
	flagConfig       = "config"
	flagEmail        = "email"
	flagFirstName    = "first-name"
	flagLastName     = "last-name"
	flagPasswordFile = "password-file"
)

// groupOf is the annotation of a flag that is a setting. Its value is the heading in the help.
const groupOf = "roster_setting_group"

// textFlag is a flag with a text as its value.
type textFlag struct {
	text, kind string
	choices    []string // if not nil, no other text is accepted
}

// String returns the value.
func (f *textFlag) String() string { return f.text }

// Set sets the value.
func (f *textFlag) Set(text string) error {
	if f.choices != nil && !slices.Contains(f.choices, text) {
		return errors.New("must be " + strings.Join(f.choices, " or "))
	}
	f.text = text
	return nil
}

// Type returns the word for the value in the help.
func (f *textFlag) Type() string { return f.kind }

// IsBoolFlag reports whether the flag needs no value.
func (f *textFlag) IsBoolFlag() bool { return f.kind == "bool" }

// addSettings makes every setting a flag of all commands. Package config checks the values.
func (p *program) addSettings(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&p.configFile, flagConfig, "", "read settings from a YAML `file`")
	for _, s := range config.Settings() {
		help := s.Help
		if len(s.Choices) > 0 {
			help += " (" + strings.Join(s.Choices, ", ") + ")"
		}
		f := flags.VarPF(&textFlag{text: s.Value, kind: s.Type}, s.Flag, "", help)
		f.Annotations = map[string][]string{groupOf: {s.Group}}
		if s.Varies {
			f.DefValue = "by profile"
		}
		complete := choices(s.Choices...)
		switch {
		case s.Type == "bool":
			f.NoOptDefVal = "true"
			complete = choices("true", "false")
		case s.Flag == "tls-cert", s.Flag == "tls-key":
			complete = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
		case s.Flag == "data-dir", s.Flag == "keys-dir":
			complete = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
		}
		must(root.RegisterFlagCompletionFunc(s.Flag, complete))
		if s.Secret {
			file := flags.VarPF(&textFlag{kind: "file"}, s.Flag+"-file", "", "file that holds "+s.Name)
			file.Annotations = map[string][]string{groupOf: {s.Group}}
		}
	}
}

// settingsGiven returns the settings on the command line.
func settingsGiven(cmd *cobra.Command) map[string]string {
	given := map[string]string{}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Annotations[groupOf] != nil {
			given[f.Name] = f.Value.String()
		}
	})
	return given
}

// choices completes a flag with words.
func choices(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// must panics on a defect in the definition of a flag.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// formatFlag adds --format, with plain as the name of the form for a terminal. It returns whether JSON is wanted.
func formatFlag(cmd *cobra.Command, plain string) func() bool {
	f := &textFlag{text: plain, kind: "form", choices: []string{plain, "json"}}
	cmd.Flags().Var(f, "format", "`form` of the output: "+plain+", or json for one object a line")
	must(cmd.RegisterFlagCompletionFunc("format", choices(f.choices...)))
	return func() bool { return f.text == "json" }
}

// optionalBool adds a flag that returns true, false or, if it is not given, nil.
func optionalBool(cmd *cobra.Command, name, help string) func() *bool {
	value := cmd.Flags().Bool(name, false, help)
	return func() *bool {
		if cmd.Flag(name).Changed {
			return value
		}
		return nil
	}
}

// memberFlags adds the flags for the address and the names of a user.
func memberFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().String(flagEmail, "", "email `address`")
	cmd.Flags().String(flagFirstName, "", "first `name`")
	cmd.Flags().String(flagLastName, "", "last `name`")
}

// members returns the values of memberFlags.
func members(cmd *cobra.Command) inbound.UserInput {
	given := func(name string) field.Text {
		if f := cmd.Flag(name); f.Changed {
			return field.Given(f.Value.String())
		}
		return field.Text{}
	}
	return inbound.UserInput{Email: given(flagEmail), FirstName: given(flagFirstName), LastName: given(flagLastName)}
}

func passwordFlag(cmd *cobra.Command) {
	cmd.Flags().String(flagPasswordFile, "", "read the password from a `file`, - for the standard input")
}
