package django

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"roster/test/support/described"
	"roster/test/support/process"
)

func TestMain(m *testing.M) { process.Main(m) }

// Each profile of the transcripts, and the settings that make the service serve it.
var profiles = map[string]map[string]string{
	"default": {},
	"rotate":  {"ROSTER_ROTATE_REFRESH_TOKENS": "true"},
}

// The service answers as the real Django service, except for the listed deviations. Each response is as the OpenAPI
// description of the service says.
func TestTranscripts(t *testing.T) { replayFile(t, "testdata/transcripts-visible.json") }

// Requests that cause a failure of the real Django service get a regular answer.
func TestRobustness(t *testing.T) { replayFile(t, "testdata/transcripts-robustness.json") }

// replayFile replays all cases of a file in their order, each profile on a service of its own.
func replayFile(t *testing.T, file string) {
	transcript, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	deviations, err := LoadDeviations("deviations.md")
	if err != nil {
		t.Fatal(err)
	}
	servers := map[string]Server{}
	for name, settings := range profiles {
		if slices.ContainsFunc(transcript.Cases, func(c Case) bool { return c.Profile == name }) {
			servers[name] = start(t, transcript.Config.SecretKey, settings)
		}
	}
	for _, c := range transcript.Cases {
		t.Run(c.ID, func(t *testing.T) {
			server, ok := servers[c.Profile]
			if !ok {
				t.Fatalf("no server for profile %q", c.Profile)
			}
			if os.Getenv(process.BackendVariable) == "memory" && slices.Contains(c.Tags, "needs-hook") {
				t.Skip("the operator's commands are another process, which memory: is not shared with")
			}
			err := server.Replay(c)
			reason, deviates := deviations[c.ID]
			switch {
			case deviates && err == nil:
				t.Errorf("deviations.md is stale: this case passes (%s)", reason)
			case !deviates && err != nil:
				t.Error(err)
			}
		})
	}
}

// start starts the service as a drop-in for the recorded one.
func start(t *testing.T, secret string, settings map[string]string) Server {
	t.Helper()
	env := map[string]string{"ROSTER_PROFILE": "django", "ROSTER_SIGNING_KEY": secret}
	maps.Copy(env, settings)
	s := process.StartWatched(t, env)
	api, err := described.Of(s.Instance(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return Server{URL: s.URL, Secret: secret, Described: api.CheckResponse, Hook: func(action, email string) error {
		_, stderr, code := s.CLI("user", "set", email, fmt.Sprintf("--active=%t", action == "activate"))
		if code != 0 {
			return fmt.Errorf("roster user set: exit code %d: %s", code, stderr)
		}
		return nil
	}}
}

// The list of deviations stays short, has reasons, names existing cases, and none of the documented endpoints.
func TestDeviationsAreFewAndReasoned(t *testing.T) {
	deviations, err := LoadDeviations("deviations.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(deviations) > maxDeviations {
		t.Errorf("%d deviations, at most %d are bearable", len(deviations), maxDeviations)
	}
	tags := map[string][]string{}
	for _, file := range []string{"testdata/transcripts-visible.json", "testdata/transcripts-robustness.json"} {
		transcript, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range transcript.Cases {
			tags[c.ID] = c.Tags
		}
	}
	for id, reason := range deviations {
		of, ok := tags[id]
		switch {
		case !ok:
			t.Errorf("%s: there is no such case", id)
		case slices.Contains(of, "core"):
			t.Errorf("%s: a core case may not deviate", id)
		case reason == "":
			t.Errorf("%s: no reason is given", id)
		}
	}
}

// The transcripts have all their cases.
func TestTranscriptsAreWhole(t *testing.T) {
	for file, want := range map[string]int{"transcripts-visible.json": 294, "transcripts-robustness.json": 30} {
		transcript, err := Load("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, c := range transcript.Cases {
			if seen[c.ID] || len(c.Steps) == 0 {
				t.Errorf("%s: case %s comes twice or does nothing", file, c.ID)
			}
			seen[c.ID] = true
		}
		if len(transcript.Cases) != want || transcript.CaseCount != want {
			t.Errorf("%s has %d cases and says %d, want %d", file, len(transcript.Cases), transcript.CaseCount, want)
		}
	}
}

func TestDeviationsAreRead(t *testing.T) {
	const table = "# Title\n\nText | with a bar.\n\n| id | reason |\n|---|---|\n| `a/b` | because of *that* |\n| c/d | x |\n"
	got, err := readDeviations(strings.NewReader(table))
	want := map[string]string{"a/b": "because of *that*", "c/d": "x"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
	for name, bad := range map[string]string{
		"no table":  "# Title\n",
		"twice":     table + "| c/d | y |\n",
		"no reason": table + "| e/f | |\n",
	} {
		if got, err := readDeviations(strings.NewReader(bad)); err == nil {
			t.Errorf("%s: read %q, want an error", name, got)
		}
	}
}
