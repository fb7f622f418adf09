package conformance_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/adapters/storage/memory"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/conformance"
)

// defects names, for each way in which a backend may be wrong, the case that must find it.
var defects = map[string]string{
	"none":                 "",
	"adds a taken email":   "Users/EmailIsUniqueOnAdd",
	"moves a taken email":  "Users/EmailIsUniqueOnUpdate",
	"loses updates":        "Users/ConcurrentUpdatesAllCount",
	"keeps failed changes": "Users/FailedChangeStoresNothing",
	"shares memory":        "Users/WhatIsReturnedIsACopy",
	"drops a field":        "Users/AddRoundTripsEveryField",
	"rounds to seconds":    "Users/KeepsTimes",
	"counts no version":    "Users/EachChangeCountsVersion",
	"counts unchanged":     "Users/UnchangedKeepsVersion",
	"ignores the check":    "Users/RefusedDeleteRemovesNothing",
	"ignores contexts":     "Users/EndedContext",
	"pages unstably":       "List/PagesAreCompleteUnderEqualTimes",
	"includes the place":   "List/PlaceOfADeletedUserHolds",
	"forgets deleted":      "List/PlaceOfADeletedUserHolds",
	"orders ids as text":   "List/CountedIDsAreOrderedByValue",
	"orders without case":  "List/TextsAreOrderedByBytes",
	"searches by case":     "List/SearchFoldsCase",
	"searches any term":    "List/SearchNeedsEveryTerm",
	"counts all":           "List/Filters",
	"reuses ids":           "IDs/AreNotReusedAfterDelete",
	"gives taken ids":      "IDs/GoOnAboveAnAddedID",
	"adds a session twice": "Sessions/IDIsUnique",
	"rotates without CAS":  "Sessions/OneOfManyRotationsWins",
	"sweeps too late":      "Sessions/SweepTakesTheExpired",
	"sweeps without limit": "Sessions/SweepHonoursItsLimit",
	"deletes by prefix":    "Sessions/DeleteOfRemovesTheOwnersAll",
}

// TestSuiteHasTeeth runs the suite against one defect at a time, in a child process, since a test
// cannot watch another fail.
func TestSuiteHasTeeth(t *testing.T) {
	const variable = "CONFORMANCE_DEFECT"
	if d, child := os.LookupEnv(variable); child {
		conformance.Backend(t, func(*testing.T) storage.Backend { return spoil(d) })
		return
	}
	for d, want := range defects {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuiteHasTeeth$")
			cmd.Env = append(os.Environ(), variable+"="+d)
			out, err := cmd.CombinedOutput()
			switch {
			case want == "" && err != nil:
				t.Errorf("the suite fails a sound backend:\n%s", out)
			case want != "" && (err == nil || !strings.Contains(string(out), "--- FAIL: TestSuiteHasTeeth/"+want+" ")):
				t.Errorf("%s does not find it:\n%s", want, out)
			}
		})
	}
}

// flawed is the memory backend with one defect.
type flawed struct {
	storage.Backend
	defect string

	mu     sync.Mutex
	shared map[user.ID]*user.User
	stale  map[string]any // a user or session as some update before left it
	gone   user.ID
}

func spoil(defect string) *flawed {
	return &flawed{Backend: memory.New(), defect: defect, shared: map[user.ID]*user.User{}, stale: map[string]any{}}
}

// Users implements storage.Backend.
func (f *flawed) Users() outbound.Users { return flawedUsers{f.Backend.Users(), f} }

// Sessions implements storage.Backend.
func (f *flawed) Sessions() outbound.Sessions { return flawedSessions{f.Backend.Sessions(), f} }

// UserIDs implements storage.Backend.
func (f *flawed) UserIDs() outbound.UserIDs { return flawedIDs{f.Backend.UserIDs(), f} }

// forget returns now the first time a key is seen, and what it returned then the next time, as a read
// does that no write is waited for.
func forget[T any](f *flawed, key string, now *T) *T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v, ok := f.stale[key].(T); ok {
		delete(f.stale, key)
		return &v
	}
	f.stale[key] = *now
	return now
}

type flawedIDs struct {
	outbound.UserIDs
	f *flawed
}

func (r flawedIDs) NewUserID(ctx context.Context) (user.ID, error) {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	switch {
	case r.f.defect == "reuses ids" && r.f.gone != "":
		return r.f.gone, nil
	case r.f.defect == "gives taken ids":
		return "41", nil
	}
	return r.UserIDs.NewUserID(ctx)
}

type flawedSessions struct {
	outbound.Sessions
	f *flawed
}

func (r flawedSessions) Add(ctx context.Context, x *session.Session) error {
	if r.f.defect == "adds a session twice" {
		if _, err := r.Sessions.Update(ctx, x.ID(), func(y *session.Session) error { *y = *x; return nil }); err == nil {
			return nil
		}
	}
	return r.Sessions.Add(ctx, x)
}

func (r flawedSessions) Update(ctx context.Context, id session.ID, change func(*session.Session) error) (*session.Session, error) {
	if r.f.defect != "rotates without CAS" {
		return r.Sessions.Update(ctx, id, change)
	}
	return r.Sessions.Update(ctx, id, func(x *session.Session) error {
		v := forget(r.f, string(id), x)
		if err := change(v); err != nil {
			return err
		}
		*x = *v
		return nil
	})
}

func (r flawedSessions) DeleteOf(ctx context.Context, owner user.ID) error {
	if r.f.defect == "deletes by prefix" && owner == "1" {
		if err := r.Sessions.DeleteOf(ctx, "11"); err != nil {
			return err
		}
	}
	return r.Sessions.DeleteOf(ctx, owner)
}

func (r flawedSessions) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	switch r.f.defect {
	case "sweeps too late":
		now = now.Add(-time.Millisecond)
	case "sweeps without limit":
		limit = 1000
	}
	return r.Sessions.Sweep(ctx, now, limit)
}
