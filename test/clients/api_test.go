package clients

import (
	"testing"

	"roster/test/django"
)

// front is the settings for front ends that are made for Django's default user.
var front = map[string]string{"ROSTER_LOGIN_FIELD": "username"}

// React-admin signs in, and shows every user on pages of any size, under both profiles.
func TestReactAdmin(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"standard": front,
		"django": {
			"ROSTER_PROFILE": "django", "ROSTER_SIGNING_KEY": "a fixture's key: 0123456789-abcdefghijklmnopqrstuvwxyz",
			"ROSTER_LOGIN_FIELD": "username", "ROSTER_MAX_PAGE_SIZE": "100",
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := node(t, "npm", "npm/admin.cjs", "ra-data-django-rest-framework", "ra-core")
			client.run(t, "", serve(t, settings).URL)
		})
	}
}

// A missing slash changes no method, and the password form of OAuth 2 signs in.
func TestScripts(t *testing.T) {
	t.Run("axios", func(t *testing.T) {
		client := node(t, "npm", "npm/scripts.mjs", "axios")
		client.run(t, "", serve(t, front).URL)
	})
	t.Run("requests", func(t *testing.T) {
		client := python(t, "debian.py", "requests")
		client.run(t, "", serve(t, front).URL)
	})
}

// The client that openapi-typescript makes of the description compiles, also for profile django, and does its work.
func TestTypeScriptClient(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"standard": nil,
		"django":   {"ROSTER_PROFILE": "django", "ROSTER_SIGNING_KEY": "a fixture's key: 0123456789-abcdefghijklmnopqrstuvwxyz", "ROSTER_MAX_PAGE_SIZE": "100"},
	} {
		t.Run(name, func(t *testing.T) {
			client := node(t, "npm", "npm/typed.mts", "openapi-typescript", "openapi-fetch", "typescript")
			s := serve(t, settings)
			tool := func(args ...string) { command{client.name, append([]string{"node"}, args...), client.dir}.run(t, "") }
			tool("node_modules/openapi-typescript/bin/cli.js", s.URL+"/api/schema/", "-o", "roster.d.ts")
			tool("node_modules/typescript/bin/tsc", "--strict", "--module", "nodenext", "--target", "es2022", "typed.mts")
			got := command{client.name, []string{"node", "typed.mjs"}, client.dir}.run(t, "", s.URL)
			if got != "ok\n" {
				t.Errorf("it prints %q", got)
			}
		})
	}
}

// What these clients sent is answered as it was when they did their work with it.
func TestRecordedRequests(t *testing.T) {
	transcript, err := django.Load("testdata/requests.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(transcript.Cases) != transcript.CaseCount {
		t.Errorf("%d cases, want %d", len(transcript.Cases), transcript.CaseCount)
	}
	for _, c := range transcript.Cases {
		t.Run(c.ID, func(t *testing.T) {
			if err := (django.Server{URL: serve(t, front).URL}).Replay(c); err != nil {
				t.Error(err)
			}
		})
	}
}
