package clients

import "testing"

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
