package e2e_test

import (
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"roster/domain/audit"
	"roster/test/process"
)

var update = flag.Bool("update", false, "rewrite what README shows as answers")

const readme = "../../README.md"

// block is a fenced block of Markdown.
var block = regexp.MustCompile("(?s)```(sh|text)\n(.*?)```\n")

// varies is what differs from run to run.
var varies = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`), "TOKEN"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`), "ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`"(kid|x|y)":"[\w-]{43}"`), `"$1":"KEY"`},
	{regexp.MustCompile(`(?i)(x-request-id: |"request_id":")[0-9a-f]{24}`), "${1}REQUEST"},
	{regexp.MustCompile(`Date: [^\r\n]*`), "Date: NOW"},
}

func same(s string) string {
	for _, v := range varies {
		s = v.find.ReplaceAllString(s, v.put)
	}
	return strings.TrimSpace(strings.ReplaceAll(s, "\r", ""))
}

// TestREADMEWalk pastes the walk of README into a shell, block by block, and compares what comes with
// what README shows.
func TestREADMEWalk(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), "<!-- walk -->\n")
	walk, after, ok2 := strings.Cut(rest, "<!-- /walk -->")
	blocks := block.FindAllStringSubmatchIndex(walk, -1)
	if !ok1 || !ok2 || len(blocks) < 8 {
		t.Fatalf("README has no walk, or a short one: %d blocks", len(blocks))
	}
	const mark = "--- next block ---"
	server := process.Start(t, nil)
	var script strings.Builder
	script.WriteString("set -u\n")
	for _, b := range blocks {
		if walk[b[2]:b[3]] == "sh" {
			script.WriteString(strings.ReplaceAll(walk[b[4]:b[5]], "http://127.0.0.1:8000", server.URL) + "echo; echo '" + mark + "'\n")
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(strings.ReplaceAll(string(out), server.URL, "http://127.0.0.1:8000"), mark+"\n")
	var fresh strings.Builder
	last, n := 0, -1
	for _, b := range blocks {
		if walk[b[2]:b[3]] == "sh" {
			n++
			continue
		}
		if got, want := same(answers[n]), same(walk[b[4]:b[5]]); got != want {
			t.Errorf("README shows\n%s\nbut the answer is\n%s", want, got)
		}
		fresh.WriteString(walk[last:b[4]] + strings.TrimSpace(strings.ReplaceAll(answers[n], "\r", "")) + "\n")
		last = b[5]
	}
	fresh.WriteString(walk[last:])
	if *update {
		if err := os.WriteFile(readme, []byte(before+"<!-- walk -->\n"+fresh.String()+"<!-- /walk -->"+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// README names every kind of event that ?kind= takes.
func TestReadmeNamesEveryKind(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range audit.Kinds() {
		if !strings.Contains(string(text), "`"+string(kind)+"`") {
			t.Errorf("README does not name %s", kind)
		}
	}
}
