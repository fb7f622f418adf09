package process

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The address is read once, from the line that reports it, in whatever pieces the log arrives.
func TestLogSeesReadiness(t *testing.T) {
	const text = "no JSON\n" +
		`{"level":"info","msg":"starting","address":"127.0.0.1:1"}` + "\n" +
		`{"level":"info","msg":"serving","address":"127.0.0.1:4711"}` + "\n"
	for size := 1; size <= len(text); size++ {
		var l Log
		ready := l.begin()
		for piece := range slices.Chunk([]byte(text), size) {
			if _, err := l.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case got := <-ready:
			if got != "127.0.0.1:4711" {
				t.Fatalf("pieces of %d bytes: address %q", size, got)
			}
		default:
			t.Fatalf("pieces of %d bytes: not seen to be ready", size)
		}
		if l.String() != text {
			t.Fatalf("pieces of %d bytes: the log reads %q", size, l.String())
		}
	}
}

// An incomplete line is not read.
func TestLogWaitsForWholeLines(t *testing.T) {
	var l Log
	ready := l.begin()
	if _, err := l.Write([]byte(`{"msg":"serving","address":"127.0.0.1:4711"}`)); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-ready:
		t.Errorf("ready with %q before the end of the line", got)
	default:
	}
}

// A server under test gets the settings of its test, and none of the environment.
func TestSettingsAreTheTestsOwn(t *testing.T) {
	t.Setenv("ROSTER_PROFILE", "strict")
	t.Setenv("ROSTER_LISTEN", "0.0.0.0:80")
	env := Options{DataDir: "/data", Env: map[string]string{"ROSTER_LOG_FORMAT": "console"}}.Settings()
	var got []string
	for _, v := range env {
		if strings.HasPrefix(v, "ROSTER_") {
			got = append(got, v)
		}
	}
	want := []string{"ROSTER_ADMIN_LISTEN=off", "ROSTER_DATA_DIR=/data", "ROSTER_LISTEN=127.0.0.1:0", "ROSTER_LOG_FORMAT=console", "ROSTER_THROTTLE_REGISTER=off", "ROSTER_THROTTLE_TOKEN=off", "ROSTER_THROTTLE_USER=off"}
	if !slices.Equal(got, want) {
		t.Errorf("settings are %q, want %q", got, want)
	}
	if !slices.Contains(env, "PATH="+os.Getenv("PATH")) {
		t.Error("the rest of the environment is missing")
	}
}
