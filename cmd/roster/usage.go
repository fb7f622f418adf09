package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// width is how wide help is.
const width = 100

// withSettings marks commands whose help lists every setting. The other commands accept them too, but the list would
// hide their own flags.
var withSettings = map[string]string{"settings": "listed", signing: ""}

// optional is what pflag prints after every flag that needs no value. usage leaves it out.
const optional = "[=true|false]"

// helpCommand shows the help of a command, and fails for an unknown one, where cobra's own shows the help of the program.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			named, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return misuse(cmd.Root(), "unknown command %q", strings.Join(args, " "))
			}
			return named.Help()
		},
	}
}

// usage prints the usage of a command in cobra's form, with the settings in groups.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND [flags]\n\nCommands:\n", cmd.CommandPath())
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
			}
		}
	} else {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	groups := flagGroups(cmd)
	if cmd.Annotations["settings"] == "" {
		groups = groups[:1]
	}
	for _, g := range groups {
		fmt.Fprintf(&b, "\n%s:\n%s", g.heading, g.flags.FlagUsagesWrapped(width))
	}
	if len(groups) == 1 {
		b.WriteString("\nEvery setting is a flag too: roster serve --help lists them.\n")
	}
	_, err := fmt.Fprint(cmd.OutOrStderr(), strings.ReplaceAll(b.String(), optional, strings.Repeat(" ", len(optional))))
	return err
}

type flagGroup struct {
	heading string
	flags   *pflag.FlagSet
}

// flagGroups returns the flags of a command that are not settings, and then the settings by heading.
func flagGroups(cmd *cobra.Command) []flagGroup {
	groups := []flagGroup{{"Flags", newFlagSet()}}
	add := func(f *pflag.Flag) {
		group := 0
		if heading := f.Annotations[groupOf]; heading != nil {
			if group = len(groups) - 1; groups[group].heading != heading[0] {
				groups = append(groups, flagGroup{heading[0], newFlagSet()})
				group++
			}
		}
		groups[group].flags.AddFlag(f)
	}
	cmd.NonInheritedFlags().VisitAll(add)
	if cmd.HasParent() {
		inherited := cmd.InheritedFlags()
		inherited.SortFlags = false
		inherited.VisitAll(add)
	}
	return groups
}

func newFlagSet() *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.SortFlags = false
	return f
}
