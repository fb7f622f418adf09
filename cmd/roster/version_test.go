package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	out := newShell(t).must("", "version")
	if !strings.HasPrefix(out, "roster ") || !strings.Contains(out, "\ngo     "+runtime.Version()+"\n") || !strings.Contains(out, "\ncommit ") {
		t.Errorf("version says %q", out)
	}
	recorded := &debug.BuildInfo{
		Main:     debug.Module{Version: "v0.1.0"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc123"}, {Key: "vcs.modified", Value: "true"}},
	}
	for _, c := range []struct {
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		{"v1.2.3", recorded, "roster v1.2.3\ngo     " + runtime.Version() + "\ncommit abc123, with changes\n"},
		{"", recorded, "roster v0.1.0\n"},
		{"", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "roster development\ngo     " + runtime.Version() + "\ncommit unknown\n"},
	} {
		if got := describe(c.linked, c.info); !strings.HasPrefix(got, c.want) {
			t.Errorf("describe says %q, want %q", got, c.want)
		}
	}
}
