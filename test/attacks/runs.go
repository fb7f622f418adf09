// Package attacks runs a corpus of attacks over HTTP against the built binary with its default settings. The checks that
// are about the cost of a hash run against the release build, the others against the build with cheap hashes.
// attacks.py has the attacks, a check each, with their sources; it needs only Python 3.
package attacks

import (
	"maps"
	"slices"
	"strings"
)

// secret is the signing key of the run with one.
const secret = "pk3mVq9wZr7tYxB2nLd8sHc5jFg1aUe4"

// Run is one run of the corpus.
type Run struct {
	FullCost bool              // against the released binary, not the one whose hashes are cheap
	Env      map[string]string // settings of the service
	Options  []string          // of attacks.py
	Skipped  map[string]string // checks that may be skipped, and why
}

// Makes reports whether the run makes a check: has it among the selected ones, and does not skip it.
func (r Run) Makes(check string) bool {
	group, _, _ := strings.Cut(check, ".")
	asked, left, all := false, false, true
	for i, option := range r.Options {
		switch option {
		case "--only":
			all = false
			asked = asked || strings.Contains(check, r.Options[i+1])
		case "--group":
			all = false
			asked = asked || r.Options[i+1] == group
		case "--skip":
			left = left || strings.Contains(check, r.Options[i+1])
		}
	}
	return (all || asked) && !left && r.Skipped[check] == ""
}

// Made reports whether some run makes a check.
func Made(check string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(Runs())), func(r Run) bool { return r.Makes(check) })
}

// Runs returns the runs of the corpus by their names.
func Runs() map[string]Run {
	unused := map[string]string{
		"auth.current_password":       "asked for where the setting wants it; a run of its own",
		"auth.register_enumeration":   "registration reveals it, as in DRF; with hide_registered the users of the corpus could not sign in",
		"jwtkey.alg_allowlist_exact":  "is about secrets; a run of its own",
		"jwtkey.refresh_never_issued": "sessions are known to the storage, not each token; a session that is not there is refused",
	}
	with := func(more map[string]string, without ...string) map[string]string {
		out := maps.Clone(unused)
		maps.Copy(out, more)
		for _, name := range without {
			delete(out, name)
		}
		return out
	}
	costly := []string{"--only", "auth.timing", "--only", "auth.password_huge", "--only", "bound."}
	strict := []string{"--list-policy", "restricted", "--read-policy", "restricted", "--reuse-grace", "10", "--password-min", "15"}
	// The corpus signs in as users that it registers, so that they must not wait for a mail.
	profile := map[string]string{"ROSTER_PROFILE": "strict", "ROSTER_EMAIL_VERIFICATION": "off", "ROSTER_HIDE_REGISTERED": "false"}
	withoutCurrent := maps.Clone(profile)
	withoutCurrent["ROSTER_REQUIRE_CURRENT_PASSWORD"] = "false"
	return map[string]Run{
		"standard": {
			Options: []string{"--list-policy", "auth", "--read-policy", "auth", "--reuse-grace", "10", "--skip", "auth.timing"},
			Skipped: with(map[string]string{
				"authz.list_others": "signed-in users read each other in profile standard",
				"authz.read_other":  "likewise",
			}),
		},
		// The corpus changes passwords without the current one, which strict requires; that has a run of its own.
		"strict": {
			Env:     withoutCurrent,
			Options: append(strict, "--skip", "auth.timing"),
			Skipped: unused,
		},
		// What is about the time and the memory of a hash, with what such a hash takes.
		"standard, full cost": {FullCost: true, Options: costly},
		"strict, full cost":   {FullCost: true, Env: profile, Options: slices.Concat(strict, costly)},
		"current password": {
			Env:     profile,
			Options: []string{"--expect-current-password", "--only", "auth.current_password"},
		},
		"secret": {
			Env:     map[string]string{"ROSTER_SIGNING_KEY": secret},
			Options: []string{"--hs-key", secret, "--group", "jwt", "--group", "jwtkey"},
			Skipped: with(nil, "jwtkey.alg_allowlist_exact"),
		},
	}
}
