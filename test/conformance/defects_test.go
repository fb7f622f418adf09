package conformance_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"roster/adapters/storage"
	"roster/adapters/storage/memory"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/conformance"
)

// defects names, for each way in which a backend may be wrong, the case that must find it.
var defects = map[string]string{
	"none":                                "",
	"adds a taken email":                  "Users/EmailIsUniqueOnAdd",
	"moves a taken email":                 "Users/EmailIsUniqueOnUpdate",
	"loses updates":                       "Users/ConcurrentUpdatesAllCount",
	"keeps failed changes":                "Users/FailedChangeStoresNothing",
	"shares memory":                       "Users/WhatIsReturnedIsACopy",
	"drops a field":                       "Users/AddRoundTripsEveryField",
	"rounds to seconds":                   "Users/KeepsTimes",
	"counts no version":                   "Users/EachChangeCountsVersion",
	"counts unchanged":                    "Users/UnchangedKeepsVersion",
	"ignores the check":                   "Users/RefusedDeleteRemovesNothing",
	"ignores contexts":                    "Users/EndedContext",
	"changes the last staff":              "Users/LastStaffStays",
	"deletes the last staff":              "Users/LastStaffStays",
	"takes inactive staff for staff":      "Users/LastStaffStays",
	"takes active users for staff":        "Users/LastStaffStays",
	"keeps the email of a refusal":        "Users/LastStaffKeepsTheEmail",
	"never lets staff resign":             "Users/StaffResign",
	"changes a user that stays staff":     "Users/StaffResign",
	"keeps the last user":                 "Users/WithoutStaffAllIsAllowed",
	"keeps staff from changing":           "Users/LastStaffMayChange",
	"ignores the override":                "Users/LastStaffGoesIfAllowed",
	"keeps the override":                  "Users/LastStaffGoesIfAllowed",
	"counts staff before the change":      "Users/OneOfTwoStaffStays",
	"refuses two at once":                 "Users/OneOfTwoStaffStays",
	"counts many staff before the change": "Users/OneOfManyStaffStays",
	"reports a deadline as an outage":     "Users/DeadlineThatPassesDuringIt",

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
	"drops the last use":   "Sessions/AddRoundTripsEveryField",

	"drops the secret of a browser": "Sessions/AddRoundTripsEveryField",

	"lists revoked sessions":         "SessionList/OnlyLive",
	"lists expired sessions":         "SessionList/OnlyLive",
	"lists sessions of older epochs": "SessionList/OnlyOfEpoch",
	"lists sessions too late":        "SessionList/OnlyOfEpoch",
	"lists others' sessions":         "SessionList/OnlyTheOwners",
	"lists old sessions first":       "SessionList/NewestFirstAndBack",
	"skips revoked sessions too":     "SessionList/SkipsTheFirst",
	"pages sessions by time alone":   "SessionList/PagesAreCompleteUnderEqualTimes",
	"forgets sessions that are gone": "SessionList/PlaceOfASessionThatIsGoneHolds",
	"lists sessions for ever":        "SessionList/EndedContext",

	"loses the first failures":         "Attempts/ConcurrentFirstUpdatesAllCount",
	"loses failures":                   "Attempts/ConcurrentUpdatesAllCount",
	"keeps failed failures":            "Attempts/FailedChangeStoresNothing",
	"stores an unchanged record":       "Attempts/UnchangedStoresNothing",
	"takes an address for an account":  "Attempts/SubjectsAreApart",
	"rounds failures to seconds":       "Attempts/UpdateRoundTripsEveryField",
	"shares a record":                  "Attempts/WhatIsReturnedIsACopy",
	"reads failures under any context": "Attempts/EndedContext",
	"forgives one network":             "Attempts/DeleteOfRemovesTheAccountsAll",
	"forgives all accounts":            "Attempts/DeleteOfRemovesTheAccountsAll",
	"sweeps failures too late":         "Attempts/SweepTakesTheExpired",
	"sweeps failures too early":        "Attempts/SweepTakesTheExpired",
	"sweeps failures without limit":    "Attempts/SweepHonoursItsLimit",

	"drops the language of a user":       "Users/AddRoundTripsEveryField",
	"never changes the contact":          "Links/StatesOfAnAddress",
	"lists invited users from the first": "Links/InvitedInOrder",
	"lists all that wait as invited":     "Links/InvitedInOrder",
	"lists no put users as invited":      "Links/InvitedInOrder",

	"drops the languages of a mail":            "Mails/AddRoundTripsEveryField",
	"queues a mail again":                      "Mails/DuplicateIsKeptAsItWas",
	"refuses a mail that is queued":            "Mails/DuplicateIsKeptAsItWas",
	"queues mails under any context":           "Mails/EndedContext",
	"shares a mail":                            "Mails/WhatIsReturnedIsACopy",
	"lets two begin":                           "Mails/OneOfManyAttemptsBegins",
	"loses attempts":                           "Mails/ConcurrentUpdatesAllCount",
	"keeps refused attempts":                   "Mails/FailedChangeStoresNothing",
	"counts no versions of mails":              "Mails/EachChangeCountsVersion",
	"sends mails too early":                    "Mails/DueAreThoseThatWait",
	"sends mails too late":                     "Mails/DueAreThoseThatWait",
	"sends any number of mails":                "Mails/DueInTheirOrder",
	"sends mails by their ids":                 "Mails/DueInTheirOrder",
	"counts mails to all addresses":            "Mails/BegunAreThoseToTheAddress",
	"counts dropped mails":                     "Mails/BegunAreThoseToTheAddress",
	"counts mails that no attempt was made of": "Mails/BegunAreThoseToTheAddress",
	"forgets mails that are being sent":        "Mails/BegunAreThoseToTheAddress",
	"counts mails sent before":                 "Mails/BegunAreThoseToTheAddress",
	"lists mails of any state":                 "Mails/ListNewestFirst",
	"lists all mails again":                    "Mails/ListNewestFirst",
	"lists the oldest mails":                   "Mails/ListNewestFirst",
	"sweeps mails too early":                   "Mails/SweepTakesTheFinished",
	"sweeps mails that wait":                   "Mails/SweepTakesTheFinished",
	"sweeps mails of any final state":          "Mails/SweepTakesTheFinished",
	"sweeps any number of mails":               "Mails/SweepTakesTheOldestFirst",
	"sweeps the newest mails":                  "Mails/SweepTakesTheOldestFirst",

	"drops a field of an event":      "Audit/AppendRoundTripsEveryField",
	"appends without a context":      "Audit/EndedContext",
	"appends half a batch":           "Audit/BatchIsAppendedOrRefusedAsAWhole",
	"replaces a duplicate":           "Audit/DuplicateIsKeptAsItWas",
	"refuses a duplicate":            "Audit/DuplicateIsKeptAsItWas",
	"stops at a duplicate":           "Audit/DuplicateIsKeptAsItWas",
	"counts the first kind":          "Audit/CountsByKind",
	"counts other kinds":             "Audit/CountsByKind",
	"counts after since":             "Audit/CountsFromSinceToBeforeUntil",
	"counts up to until":             "Audit/CountsFromSinceToBeforeUntil",
	"counts without a context":       "Audit/EndedContext",
	"sweeps events too early":        "Audit/SweepTakesTheOld",
	"sweeps events without limit":    "Audit/SweepTakesTheOldestFirst",
	"sweeps the newest":              "Audit/SweepTakesTheOldestFirst",
	"knows no other kinds":           "Audit/KeepsKindsOfAnotherVersion",
	"lists the oldest first":         "AuditList/NewestFirstAndBack",
	"pages events by time alone":     "AuditList/PagesAreCompleteUnderEqualTimes",
	"includes the place of an event": "AuditList/PagesAreCompleteUnderEqualTimes",
	"forgets events that are gone":   "AuditList/PlaceOfAnEventThatIsGoneHolds",
	"takes the first kind":           "AuditList/Filters",
	"does not merge kinds":           "AuditList/Filters",
	"takes either actor or user":     "AuditList/Filters",
	"takes since as after":           "AuditList/SinceAndUntil",
	"takes until as up to":           "AuditList/SinceAndUntil",
	"rounds since down":              "AuditList/SinceAndUntil",

	"drops the events of changes":     "ChangeEvents/AreStoredWithEachChange",
	"drops events without a change":   "ChangeEvents/AreStoredWhenNothingChanges",
	"stores events before the change": "ChangeEvents/AreNotStoredWithARefusedChange",
	"stores events after the change":  "ChangeEvents/BadEventRefusesTheChange",
	"stores the events of every run":  "ChangeEvents/AreThoseOfTheLastRun",
	"deletes events with sessions":    "ChangeEvents/OutliveTheirRecords",
	"drops the mails of changes":      "ChangeEvents/AreStoredWithEachChange",
	"drops mails without a change":    "ChangeEvents/AreStoredWhenNothingChanges",
	"queues mails before the change":  "ChangeEvents/AreNotStoredWithARefusedChange",
	"queues mails after the change":   "ChangeEvents/BadEventRefusesTheChange",
	"queues the mails of every run":   "ChangeEvents/AreThoseOfTheLastRun",
	"deletes mails with sessions":     "ChangeEvents/OutliveTheirRecords",
	"queues mails that were sent":     "ChangeEvents/RepeatedChangeStoresThemOnce",
	"takes the session of the user":   "WithSession/ReturnsBoth",
	"needs a session":                 "WithSession/MissingIsNil",

	"puts users anew":                      "Archive/PutRoundTripsEveryField",
	"puts users without a last visit":      "Archive/PutRoundTripsEveryField",
	"puts sessions without their last use": "Archive/PutRoundTripsEveryField",
	"puts no failures":                     "Archive/PutRoundTripsEveryField",
	"puts events without detail":           "Archive/PutRoundTripsEveryField",
	"puts users without contact":           "Archive/PutRoundTripsEveryField",
	"puts mails without attempts":          "Archive/PutRoundTripsEveryField",
	"pages from the key on":                "Archive/PagesAreCompleteAndInOrder",
	"pages without limit":                  "Archive/PagesAreCompleteAndInOrder",
	"pages by the text of ids":             "Archive/IDsOfBothKindsAreInOrder",
	"pages under any context":              "Archive/EndedContext",
	"puts under any context":               "Archive/EndedContext",
	"puts over what is there":              "Archive/KeyTakenLeavesTheRecordAsItWas",
	"reports taken keys as free":           "Archive/KeyTakenLeavesTheRecordAsItWas",
	"stores the first five hundred":        "Archive/LargeBatch",
	"fails when nothing is put":            "Archive/PutOfNothing",
	"puts a bad record's neighbours":       "Archive/BadRecordStoresNothing",
	"does not name the bad record":         "Archive/BadRecordStoresNothing",
	"stores all of many":                   "Archive/OneOfManyPutsWinsAKey",
	"sweeps no put sessions":               "Archive/PutIsSwept",
	"reports taken emails as free":         "Archive/EmailTaken",
	"reports a taken email as a taken key": "Archive/EmailTaken",
	"reports the email before the key":     "Archive/KeyIsReportedBeforeEmail",
	"reports refusals in reverse order":    "Archive/MixedBatch",
	"stops at a refusal":                   "Archive/MixedBatch",
	"stores the last user of an email":     "Archive/MixedBatch",
	"lets all of many have an email":       "Archive/OneOfManyWinsAnEmail",
	"finds no put users":                   "Archive/PutUsersAreFoundAndCounted",
	"counts no put users":                  "Archive/PutUsersAreFoundAndCounted",
	"changes no put users":                 "Archive/PutUsersCanBeChanged",
	"counts no put ids":                    "Archive/CountingGoesOnAboveAPutID",
	"counts refused ids":                   "Archive/RefusedIDDoesNotCount",
	"skips back":                           "Archive/SkipNeverGoesBack",
	"skips ids under any context":          "Archive/IDsEndedContext",

	"creates to read":            "Openings/NothingIsCreatedUnlessItMayBe",
	"creates to write":           "Openings/NothingIsCreatedUnlessItMayBe",
	"does not report a creation": "Openings/CreationIsReported",
	"always reports a creation":  "Openings/CreationIsReported",
	"reads another":              "Openings/ReadingSeesWhatWasWritten",
	"takes all for one":          "Openings/SameDatabase",
	"takes none for one":         "Openings/SameDatabase",
}

// TestSuiteFindsPlantedDefects runs, for each defect, the check that must find it, in a child process, since a test
// cannot observe the failure of another. It runs the whole suite without a defect.
func TestSuiteFindsPlantedDefects(t *testing.T) {
	const variable = "CONFORMANCE_DEFECT"
	if d, child := os.LookupEnv(variable); child {
		conformance.Backend(t, func(*testing.T) storage.Backend { return spoil(d) })
		conformance.Openings(t, spoiltPlace(d))
		return
	}
	for d, want := range defects {
		t.Run(d, func(t *testing.T) {
			t.Parallel()
			checks := "^TestSuiteFindsPlantedDefects$"
			if port, name, one := strings.Cut(want, "/"); one {
				checks += "/^" + port + "$/^" + name + "$"
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+checks)
			cmd.Env = append(os.Environ(), variable+"="+d)
			out, err := cmd.CombinedOutput()
			switch {
			case want == "" && err != nil:
				t.Errorf("the suite fails a sound backend:\n%s", out)
			case want != "" && (err == nil || !strings.Contains(string(out), "--- FAIL: TestSuiteFindsPlantedDefects/"+want+" ")):
				t.Errorf("%s does not find it:\n%s", want, out)
			}
		})
	}
}

// flawed is the memory backend with one defect.
type flawed struct {
	storage.Backend
	defect string

	mu       sync.Mutex
	shared   map[user.ID]*user.User
	records  map[lockout.Subject]*lockout.Record
	mails    map[mail.ID]*mail.Mail
	stale    map[string]any // the state of an aggregate after an earlier update
	gone     user.ID
	put      map[user.ID]bool // by way of the archive
	allowed  map[user.ID]bool // to resign, once
	looking  int              // the number of resignations that count staff
	reserved map[string]bool  // emails of refused changes
	skipped  int64
}

func spoil(defect string) *flawed {
	return &flawed{
		Backend: memory.New(), defect: defect,
		shared: map[user.ID]*user.User{}, records: map[lockout.Subject]*lockout.Record{}, mails: map[mail.ID]*mail.Mail{}, stale: map[string]any{},
		put: map[user.ID]bool{}, allowed: map[user.ID]bool{}, reserved: map[string]bool{},
	}
}

func (f *flawed) Users() outbound.Users { return flawedUsers{f.Backend.Users(), f} }

func (f *flawed) Sessions() outbound.Sessions { return flawedSessions{f.Backend.Sessions(), f} }

func (f *flawed) Attempts() outbound.Attempts { return flawedAttempts{f.Backend.Attempts(), f} }

func (f *flawed) AuditTrail() outbound.AuditTrail { return flawedAudit{f.Backend.AuditTrail(), f} }

func (f *flawed) Mails() outbound.Mails { return flawedMails{f.Backend.Mails(), f} }

func (f *flawed) Archive() outbound.Archive { return flawedArchive{f.Backend.Archive(), f} }

func (f *flawed) UserIDs() outbound.UserIDs { return flawedIDs{f.Backend.UserIDs(), f} }

// forget returns now for a new key, and its former result the next time, as a stale read does.
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
