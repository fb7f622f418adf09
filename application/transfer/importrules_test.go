package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/application/transfer"
	"roster/domain/audit"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// No id in the source is assigned again, whether its row is imported or rejected or its user deleted, and enough ids
// remain for new users.
func TestImportLeavesIDsForNewUsers(t *testing.T) {
	rejected := sourceRow("70", "no address")
	row := func(id string) outbound.SourceUser { return sourceRow(id, "user"+id+"@example.com") }
	highest := string(user.IntegerID(user.LastImportedID))
	for name, c := range map[string]struct {
		users  []outbound.SourceUser
		gone   int64
		lastID int64
		want   int64
	}{
		"rejected":          {[]outbound.SourceUser{row("3"), rejected, row("5")}, 0, 0, 70},
		"gone":              {[]outbound.SourceUser{row("3")}, 80, 0, 80},
		"named":             {[]outbound.SourceUser{row("3")}, 8, 90, 90},
		"the last of all":   {[]outbound.SourceUser{row("3"), row("9223372036854775807")}, 0, 0, 3},
		"the highest taken": {[]outbound.SourceUser{row(highest)}, 0, 0, user.LastImportedID},
	} {
		s := fixture.New(t, fixture.Django())
		importing(t, s, &source{users: c.users, last: c.gone}, inbound.ImportOptions{LastID: c.lastID})
		if got, err := s.Archive.LastUserID(t.Context()); err != nil || got != c.want || got > math.MaxInt64-1e12 {
			t.Errorf("%s: counting goes on above %d (%v), want %d", name, got, err, c.want)
		}
	}
	for _, last := range []int64{-1, user.LastImportedID + 1, math.MaxInt64} {
		s := fixture.New(t, fixture.Django())
		if _, _, err := tryImporting(t, s, &source{users: []outbound.SourceUser{row("3")}}, inbound.ImportOptions{LastID: last}); !errors.Is(err, inbound.ErrLastID) || len(stored(t, s)) != 0 {
			t.Errorf("last id %d: %v", last, err)
		}
	}
}

// With Overwrite, another password or a deactivation ends the user's sessions.
func TestOverwriteEndsSessions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*outbound.SourceUser)
		ends   bool
	}{
		"password":    {func(u *outbound.SourceUser) { u.Password = fixture.Old("other") }, true},
		"deactivated": {func(u *outbound.SourceUser) { u.Active = false }, true},
		"renamed":     {func(u *outbound.SourceUser) { u.FirstName = "Anne" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Django())
			row := sourceRow("1", "ann@example.com")
			row.Password = fixture.New(t, fixture.Django()).Add(t, "x@example.com").Password() // in the preferred scheme, so that a sign-in does not rehash it
			importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{})
			pair := s.SignsIn(t, "ann@example.com", fixture.Password)
			foreign := s.Mint(t, session.Claims{Type: session.Refresh, ID: "j", User: "1", HasUser: true, IssuedAt: s.Clock.Now(), ExpiresAt: s.Clock.Now().Add(time.Hour)})
			s.Clock.Advance(2 * time.Second)
			c.change(&row)
			importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{Overwrite: true, DryRun: true})
			s.Refreshes(t, pair.Refresh)
			sum, _ := importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{Overwrite: true})
			counts(t, sum, only(inbound.Updated))
			if !row.Active { // ended sessions stay ended
				s.Set(t, "1", func(u *user.User) { u.SetActive(true) })
			}
			for _, token := range []string{pair.Refresh, foreign} {
				if c.ends {
					s.RefreshFails(t, token, session.ErrTokenInvalid)
				} else {
					s.Refreshes(t, token)
				}
			}
		})
	}
}

// changesOf returns kind and detail of the recorded changes of a user, oldest first.
func changesOf(t *testing.T, s *fixture.Service, id user.ID) (out []string) {
	t.Helper()
	events, err := s.AuditTrail.List(t.Context(), audit.Query{Filter: audit.Filter{User: id, Kinds: []audit.Kind{audit.Changed, audit.PasswordChanged}}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Backward(events) {
		out = append(out, strings.TrimSpace(string(e.Channel)+" "+string(e.Kind)+" "+e.Detail))
	}
	return out
}

// Each imported change is recorded with its user, and does not count as the user's own.
func TestImportedChangesAreRecorded(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	row := sourceRow("1", "ann@example.com")
	take := func(o inbound.ImportOptions, want inbound.Outcome) {
		t.Helper()
		sum, _ := importing(t, s, &source{users: []outbound.SourceUser{row}}, o)
		counts(t, sum, only(want))
	}
	take(inbound.ImportOptions{}, inbound.Added)
	if got := changesOf(t, s, "1"); len(got) != 0 {
		t.Errorf("of a new user: %q", got)
	}
	row.FirstName = "Anne"
	take(inbound.ImportOptions{DryRun: true}, inbound.Updated)
	take(inbound.ImportOptions{}, inbound.Updated)
	row.Password = fixture.Old("other")
	take(inbound.ImportOptions{Overwrite: true}, inbound.Updated) // which ends sessions
	row.LastLogin = joined.Add(time.Hour)
	take(inbound.ImportOptions{}, inbound.Updated)
	take(inbound.ImportOptions{}, inbound.Unchanged)
	want := []string{"import user_changed first_name", "import password_changed", "import user_changed last_login"}
	if got := changesOf(t, s, "1"); !slices.Equal(got, want) {
		t.Errorf("the trail has %q, want %q", got, want)
	}
}

// A local sign-in or change takes precedence over a later import, even after an import ended sessions.
func TestLocalUseAfterOverwriteIsKept(t *testing.T) {
	for _, kind := range []audit.Kind{audit.Changed, audit.PasswordChanged, audit.SignedIn, audit.SessionsRevoked} {
		s := fixture.New(t, fixture.Django())
		row := sourceRow("1", "ann@example.com")
		importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{})
		row.Password = fixture.Old("other")
		importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{Overwrite: true})
		if err := s.AuditTrail.Append(t.Context(), audit.Event{ID: "z", At: s.Clock.Now(), Kind: kind, User: "1", Channel: audit.API}); err != nil {
			t.Fatal(err)
		}
		row.FirstName = "Anne"
		sum, _ := importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{})
		if counts(t, sum, only(inbound.Kept)); t.Failed() {
			t.Fatal(kind)
		}
	}
}

// Each revocation that is left out is reported.
func TestImportReportsUnknownRevocations(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	later := fixture.Epoch.Add(time.Hour)
	src := &source{users: []outbound.SourceUser{sourceRow("1", "ann@example.com")}, tokens: []outbound.RevokedToken{
		{Location: "row 9"}, {ID: "a", User: "1", Expires: later}, {Location: "row 11"},
	}}
	sum, reported := importing(t, s, src, inbound.ImportOptions{Blacklist: true})
	if sum.Notices[inbound.NoticeTokenUnknown] != 2 || sum.Tokens[inbound.Rejected] != 2 || sum.Tokens[inbound.Added] != 1 || sum.Revocations() != 1 {
		t.Errorf("%+v", sum)
	}
	if len(reported) != 2 || reported[0].Location != "row 9" || reported[1].Location != "row 11" {
		t.Errorf("reported %+v", reported)
	}
	// A revocation without times is imported too.
	s.RefreshFails(t, s.Mint(t, session.Claims{Type: session.Refresh, ID: "a", User: "1", HasUser: true, IssuedAt: fixture.Epoch, ExpiresAt: later}), session.ErrBlacklisted)
	if sum, _ = importing(t, s, &source{}, inbound.ImportOptions{Blacklist: true}); sum.Revocations() != 0 {
		t.Errorf("of none: %+v", sum)
	}
}

// heavy is a source that measures how much of its rows the import keeps.
type heavy struct {
	source
	given func(n int)
}

func (h *heavy) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	n := 0
	return h.source.Users(ctx, func(u outbound.SourceUser) error {
		n++
		err := visit(u)
		h.given(n)
		return err
	})
}

// Large rows are not collected without limit.
func TestImportBoundsPendingBytes(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	h := &heavy{given: func(n int) {
		if waiting := n - len(stored(t, s)); waiting > 2 {
			t.Errorf("after %d rows %d wait", n, waiting)
		}
	}}
	row := bytes.Repeat([]byte(" "), 3<<20)
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		u := sourceRow(id, "user"+id+"@example.com")
		u.Row = row
		h.users = append(h.users, u)
	}
	im := transfer.NewImporting(transfer.ImportPorts{Source: h, Archive: s.Archive, Hashes: s.Hasher, Ports: s.Ports})
	sum, err := im.Import(t.Context(), inbound.ImportOptions{}, func(inbound.ImportRow) error { return nil }, func(string, int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	counts(t, sum, outcomes{added: 7})
}

// An import does not remove the last administrator, and a dry run reports the same.
func TestImportKeepsTheLastAdministrator(t *testing.T) {
	staff := func(id string, is bool) outbound.SourceUser {
		u := sourceRow(id, "u"+id+"@example.com")
		u.Staff, u.Superuser = is, is
		return u
	}
	inactive := staff("1", true)
	inactive.Active = false
	for name, c := range map[string]struct {
		again []outbound.SourceUser
		want  outcomes
	}{
		"demoted":            {[]outbound.SourceUser{staff("1", false)}, only(inbound.Rejected)},
		"deactivated":        {[]outbound.SourceUser{inactive}, only(inbound.Rejected)},
		"renamed":            {[]outbound.SourceUser{func() outbound.SourceUser { u := staff("1", true); u.LastName = "Li"; return u }()}, only(inbound.Updated)},
		"another is added":   {[]outbound.SourceUser{staff("1", false), staff("2", true)}, outcomes{updated: 1, added: 1}},
		"another is made":    {[]outbound.SourceUser{staff("3", true), staff("1", false)}, outcomes{updated: 2}},
		"another comes late": {[]outbound.SourceUser{staff("1", false), staff("3", true)}, outcomes{updated: 1, rejected: 1}},
		"both of two":        {[]outbound.SourceUser{staff("1", false), staff("4", false)}, outcomes{updated: 1, rejected: 1}},
	} {
		for _, dry := range []bool{true, false} {
			s := fixture.New(t, fixture.Standard())
			importing(t, s, &source{users: []outbound.SourceUser{staff("1", true), staff("3", false), staff("4", name == "both of two")}}, inbound.ImportOptions{})
			sum, reported := importing(t, s, &source{users: c.again}, inbound.ImportOptions{Overwrite: true, DryRun: dry})
			if outcomesOf(sum.Users) != c.want {
				t.Errorf("%s, dry run %t: %v, want %+v; %+v", name, dry, sum.Users, c.want, reported)
			}
			for _, r := range reported {
				if r.Outcome == inbound.Rejected && (r.Reason != inbound.ReasonLastStaff || r.Detail == "") {
					t.Errorf("%s, dry run %t: %+v", name, dry, r)
				}
			}
		}
	}
}

// An address that the source knows as proven is verified here. One that was verified here stays so.
func TestImportOfVerifiedAddresses(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	row := func(id string, p outbound.EmailProof, others int) outbound.SourceUser {
		u := sourceRow(id, "user"+id+"@example.com")
		u.Proof, u.OtherEmails = p, others
		return u
	}
	src := &source{users: []outbound.SourceUser{row("1", outbound.Proven, 2), row("2", outbound.Unproven, 0), row("3", outbound.ProofUnknown, 0)}}
	for _, want := range []outcomes{{added: 3}, {unchanged: 3}} {
		sum, reported := importing(t, s, src, inbound.ImportOptions{})
		counts(t, sum, want)
		if sum.Verified != 1 || len(sum.Notices) != 2 || sum.Notices[inbound.NoticeUnverified] != 1 || sum.Notices[inbound.NoticeOtherEmails] != 1 || len(reported) != 2 {
			t.Errorf("%+v, reported %+v", sum, reported)
		}
	}
	states := func() string {
		all := stored(t, s)
		return fmt.Sprintf("%s,%s,%s", all["1"].EmailState, all["2"].EmailState, all["3"].EmailState)
	}
	if got := states(); got != "verified,," {
		t.Errorf("stored: %s", got)
	}
	src.users[0].Proof, src.users[2].Proof = outbound.Unproven, outbound.Proven
	sum, _ := importing(t, s, src, inbound.ImportOptions{})
	counts(t, sum, outcomes{updated: 1, unchanged: 2})
	if got := states(); got != "verified,,verified" {
		t.Errorf("stored: %s", got)
	}
}
