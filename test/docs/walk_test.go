package docs

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"roster/test/support/process"
)

var update = flag.Bool("update", false, "rewrite the answers that the walks show")

const address = "http://127.0.0.1:8000" // of the service, in the documents

// token is a JSON Web Token, whole or cut as the documents show it.
var token = regexp.MustCompile(`(eyJ[\w-]{17})[\w-]*(\.[\w-]+\.[\w-]+|…)`)

// varies is what differs from run to run.
var varies = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`), "ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`(uid: )[\w-]+`), "${1}UID"},
	{regexp.MustCompile(`("request_id":")[0-9a-f]{24}`), "${1}REQUEST"},
}

// cut shows the beginning of each token.
func cut(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(token.ReplaceAllString(s, "$1…"), "\r", ""))
}

// same is what must be equal between two runs.
func same(s string) string {
	s = cut(s)
	for _, v := range varies {
		s = v.find.ReplaceAllString(s, v.put)
	}
	return s
}

// TestWalk pastes each walk into a shell, block by block, and compares the answers with those shown. Of a token the
// beginning is compared.
func TestWalk(t *testing.T) {
	for _, page := range []struct {
		name  string
		calls int
	}{{"README.md", 5}, {"docs/api.md", 9}, {"docs/mail.md", 5}} {
		t.Run(page.name, func(t *testing.T) {
			text := read(t, page.name)
			before, rest, ok1 := strings.Cut(text, "<!-- walk -->\n")
			walk, after, ok2 := strings.Cut(rest, "<!-- /walk -->")
			blocks := fenced.FindAllStringSubmatchIndex(walk, -1)
			if !ok1 || !ok2 || len(blocks) != 2*page.calls {
				t.Fatalf("the walk has %d blocks, want %d", len(blocks), 2*page.calls)
			}
			answers := answersOf(t, walk, blocks)
			var fresh strings.Builder
			last, n := 0, -1
			for _, b := range blocks {
				if walk[b[4]:b[5]] == "sh" {
					n++
					continue
				}
				if got, want := same(answers[n]), same(walk[b[6]:b[7]]); got != want && !*update {
					t.Errorf("the page shows\n%s\nbut the answer is\n%s", want, got)
				}
				fresh.WriteString(walk[last:b[6]] + cut(answers[n]) + "\n")
				last = b[7]
			}
			fresh.WriteString(walk[last:])
			if *update && same(fresh.String()) != same(walk) {
				path := filepath.Join(root, page.name)
				if err := os.WriteFile(path, []byte(before+"<!-- walk -->\n"+fresh.String()+"<!-- /walk -->"+after), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// answersOf runs the commands of a walk against a new service and returns what each block prints.
func answersOf(t *testing.T, walk string, blocks [][]int) []string {
	t.Helper()
	const mark = "--- next block ---"
	server := process.Start(t, nil)
	var script strings.Builder
	script.WriteString("set -u\n")
	for _, b := range blocks {
		if walk[b[4]:b[5]] == "sh" {
			script.WriteString(strings.ReplaceAll(walk[b[6]:b[7]], address, server.URL) + "echo; echo '" + mark + "'\n")
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	paste, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(script.String(), "read -r LINK") { // the link in the log
		server.AwaitLog(`"link":"`)
		_, _ = io.WriteString(paste, mailed.FindStringSubmatch(server.Logs())[1]+"\n") // a script that has ended fails below
	}
	if err := errors.Join(paste.Close(), cmd.Wait()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return strings.Split(strings.ReplaceAll(out.String(), server.URL, address), mark+"\n")
}

// mailed finds a link in the log.
var mailed = regexp.MustCompile(`"link":"([^"]+)"`)
