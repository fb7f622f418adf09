package system_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"roster/adapters/system"
	"roster/domain/user"
)

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1_234_567_890 * time.Nanosecond) // of the bubble, which begins in 2000
		now := system.Clock{}.Now()
		if want := time.Date(2000, 1, 1, 0, 0, 1, 234e6, time.UTC); now != want {
			t.Errorf("%v, want %v", now, want)
		}
	})
}

func TestSessionIDs(t *testing.T) {
	seen := map[string]bool{}
	session, token := regexp.MustCompile(`^[0-9a-f]{24}$`), regexp.MustCompile(`^[0-9a-f]{32}$`)
	for range 1000 {
		s, j := string(system.SessionIDs{}.NewSessionID()), system.SessionIDs{}.NewTokenID()
		if !session.MatchString(s) || !token.MatchString(j) || seen[s] || seen[j] {
			t.Fatalf("%q, %q", s, j)
		}
		seen[s], seen[j] = true, true
	}
	secret := regexp.MustCompile(`^[0-9A-Za-z_-]{43}$`)
	if a, b := (system.SessionIDs{}).NewSecret(), (system.SessionIDs{}).NewSecret(); a == b || !secret.MatchString(a) || !secret.MatchString(b) {
		t.Errorf("%q, %q", a, b)
	}
}

func TestUUIDs(t *testing.T) {
	v7 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	var last user.ID
	for range 1000 {
		id, err := system.UUIDs{}.NewUserID(t.Context())
		if err != nil || !v7.MatchString(string(id)) || id <= last {
			t.Fatalf("%q after %q, %v", id, last, err)
		}
		last = id
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (system.UUIDs{}).NewUserID(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}
