// Package djoser replays conversations that were recorded from djoser 2.1.0, mails included, against the built binary. test/django
// has the replayer.
package djoser

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roster/test/django"
	"roster/test/support/process"
	"roster/test/support/smtpserver"
)

func TestMain(m *testing.M) { process.Main(m) }

const (
	file       = "testdata/transcripts-djoser.json"
	deviations = "deviations.md"
)

// Each profile of the transcripts, and the settings that make the service serve it.
var profiles = map[string]map[string]string{
	"default":    {"ROSTER_EMAIL_VERIFICATION": "off"},
	"activation": {"ROSTER_EMAIL_VERIFICATION": "required", "ROSTER_DJOSER_OPTIONS": "send_confirmation_email"},
	"retype": {"ROSTER_EMAIL_VERIFICATION": "off", "ROSTER_DJOSER_OPTIONS": "password_reset_show_email_not_found,user_create_password_retype," +
		"set_password_retype,password_reset_confirm_retype,logout_on_password_change,password_changed_email_confirmation,set_username_retype," +
		"username_reset_confirm_retype,username_changed_email_confirmation"},
	"open": {"ROSTER_EMAIL_VERIFICATION": "off", "ROSTER_DJOSER_OPTIONS": "show_users,send_confirmation_email"},
	// Its clock is the test's, where a second of the transcript is a minute.
	"short": {"ROSTER_EMAIL_VERIFICATION": "required", "ROSTER_ACTIVATION_LIFETIME": "1m", "ROSTER_PASSWORD_RESET_LIFETIME": "1m"},
}

func load(t *testing.T) *django.Transcript {
	t.Helper()
	transcript, err := django.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return transcript
}

func deviating(t *testing.T) map[string]string {
	t.Helper()
	of, err := django.LoadDeviations(deviations)
	if err != nil {
		t.Fatal(err)
	}
	return of
}

// The service answers as djoser and sends its mails, except for the listed deviations.
func TestTranscripts(t *testing.T) {
	transcript, listed := load(t), deviating(t)
	for name, settings := range profiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, transcript.Config.SecretKey, settings)
			cases := slices.DeleteFunc(slices.Clone(transcript.Cases), func(c django.Case) bool { return c.Profile != name })
			faults := replay(s.Server, cases)
			s.settle(t)
			for i, c := range cases {
				if faults[i] == nil {
					faults[i] = s.Quiet(c)
				}
				t.Run(c.ID, func(t *testing.T) {
					reason, deviates := listed[c.ID]
					switch {
					case deviates && faults[i] == nil:
						t.Errorf("%s is stale: this case passes (%s)", deviations, reason)
					case !deviates && faults[i] != nil:
						t.Error(faults[i])
					}
				})
			}
		})
	}
}

// replay runs cases, some at a time since most of them wait for mails, and returns their errors. Those that let time pass run
// alone.
func replay(s django.Server, cases []django.Case) []error {
	faults := make([]error, len(cases))
	var (
		all   sync.WaitGroup
		slots = make(chan struct{}, 8)
		later []int
	)
	for i, c := range cases {
		if slices.Contains(c.Tags, "slow") {
			later = append(later, i)
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			faults[i] = s.Replay(c)
		})
	}
	all.Wait()
	for _, i := range later {
		faults[i] = s.Replay(cases[i])
	}
	return faults
}

// service is a running service with the users of the recorded one.
type service struct {
	django.Server
	process *process.Server
	clock   string // the file with how far its clock is ahead
}

func start(t *testing.T, secret string, settings map[string]string) *service {
	t.Helper()
	mails := smtpserver.Start(t, smtpserver.Options{})
	const app = "http://app.example.com"
	env := map[string]string{
		"ROSTER_PROFILE": "django", "ROSTER_SIGNING_KEY": secret, "ROSTER_DJOSER_PATH": "/auth", "ROSTER_PUBLIC_URL": app,
		"ROSTER_MAIL": "smtp://" + mails.Addr, "ROSTER_MAIL_FROM": "Example <accounts@example.com>",
		"ROSTER_ACTIVATION_URL":     app + "/#/activate/{uid}/{token}",
		"ROSTER_PASSWORD_RESET_URL": app + "/#/password/reset/confirm/{uid}/{token}",
		"ROSTER_EMAIL_CHANGE_URL":   app + "/#/email/reset/confirm/{uid}/{token}",
	}
	maps.Copy(env, settings)
	s := &service{clock: filepath.Join(t.TempDir(), "ahead")}
	if settings["ROSTER_PASSWORD_RESET_LIFETIME"] != "" {
		env["TEST_CLOCK"] = s.clock
		if err := s.ahead(0); err != nil {
			t.Fatal(err)
		}
		s.process = process.PrepareFlawed(t, "none", env)
	} else {
		s.process = process.Prepare(t, env)
	}
	seed, err := filepath.Abs("testdata/seed.json")
	if err != nil {
		t.Fatal(err)
	}
	s.process.MustCLI("import", "django", seed)
	s.process.Restart()
	s.Server = django.Server{URL: s.process.URL, Secret: secret, Mails: mails, Wait: func(seconds float64) error {
		return s.ahead(time.Duration(seconds * float64(time.Minute)))
	}}
	return s
}

// ahead puts the clock of the service ahead.
func (s *service) ahead(by time.Duration) error {
	next := s.clock + ".next"
	if err := os.WriteFile(next, []byte(by.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(next, s.clock)
}

// settle returns when the mails that are queued have been sent. Mails are sent in batches, those that are due first in the
// first; the second mail here is in a later batch than the first, which is not in an earlier one than those queued before.
func (s *service) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n := range 2 {
		address := fmt.Sprintf("last-%d@example.com", n)
		s.post(t, "/auth/users/", fmt.Sprintf(`{"email":%q,"password":"Qz7!wvKj-93xu","re_password":"Qz7!wvKj-93xu","first_name":"Z","last_name":"Z"}`, address))
		s.post(t, "/auth/users/reset_password/", fmt.Sprintf(`{"email":%q}`, address))
		if s.Mails.Take(ctx, address) == nil {
			t.Fatal("no mail came to ", address)
		}
	}
}

func (s *service) post(t *testing.T, path, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s: %s", path, resp.Status)
	}
}

// Only cases that the recording marks as unsafe, or as a matter of policy, deviate, and the transcript has all its cases.
func TestDeviationsAreMarked(t *testing.T) {
	transcript := load(t)
	tags := map[string][]string{}
	for _, c := range transcript.Cases {
		tags[c.ID] = c.Tags
		if len(c.Steps) == 0 || profiles[c.Profile] == nil {
			t.Errorf("%s does nothing, or on no server", c.ID)
		}
	}
	if len(tags) != 206 || transcript.CaseCount != 206 {
		t.Errorf("%d cases, and %d are named", len(tags), transcript.CaseCount)
	}
	for id := range deviating(t) {
		if !slices.Contains(tags[id], "unsafe") && !slices.Contains(tags[id], "policy") {
			t.Errorf("%s is no case that may deviate", id)
		}
	}
}
