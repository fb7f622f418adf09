package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version string

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Args:  arguments(),
		RunE:  func(*cobra.Command, []string) error { return p.printVersion() },
	}
}

func (p *program) printVersion() error {
	_, err := fmt.Fprint(p.stdout, versionLine())
	return err
}

// versionLine describes this program.
func versionLine() string { return describe(version, buildInfo()) }

func buildInfo() *debug.BuildInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return info
}

// nameOf returns the name of the version of a build: the one of the linker flag, or else the one that the Go command
// recorded.
func nameOf(version string, info *debug.BuildInfo) string {
	if version = cmp.Or(version, info.Main.Version); version == "" || version == "(devel)" {
		return "development"
	}
	return version
}

// describe returns the version of a build, of Go and of the commit.
func describe(version string, info *debug.BuildInfo) string {
	recorded := map[string]string{}
	for _, s := range info.Settings {
		recorded[s.Key] = s.Value
	}
	commit := cmp.Or(recorded["vcs.revision"], "unknown")
	if recorded["vcs.modified"] == "true" {
		commit += ", with changes"
	}
	return fmt.Sprintf("roster %s\ngo     %s\ncommit %s\n", nameOf(version, info), runtime.Version(), commit)
}
