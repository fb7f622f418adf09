package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roster/application/transfer"
	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// source has rows in memory. It fails before the row cut, if cut is positive.
type source struct {
	users  []outbound.SourceUser
	tokens []outbound.RevokedToken
	last   int64
	cut    int
}

var errCut = errors.New("cut off")

func (s *source) Count(context.Context) (users, tokens int64, err error) {
	return int64(len(s.users)), int64(len(s.tokens)), nil
}

func (s *source) Users(_ context.Context, visit func(outbound.SourceUser) error) error {
	for n, u := range s.users {
		if s.cut > 0 && n == s.cut {
			return errCut
		}
		u.Location = fmt.Sprintf("row %d", n+1)
		if err := visit(u); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) RevokedTokens(_ context.Context, visit func(outbound.RevokedToken) error) error {
	for _, t := range s.tokens {
		if err := visit(t); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) LastUserID(context.Context) (int64, error) { return s.last, nil }

var joined = time.Date(2021, 3, 1, 8, 0, 0, 123456789, time.UTC)

// sourceRow returns a valid row.
func sourceRow(id, email string) outbound.SourceUser {
	return outbound.SourceUser{
		ID: user.ID(id), Email: email, FirstName: "Łukasz", LastName: "O'Neil", Active: true,
		Password: fixture.Old("lantern"), KnownScheme: true, Joined: joined, Row: []byte(`{"pk":` + id + `}`),
	}
}

// importing runs an import and returns its summary and the reported rows.
func importing(t *testing.T, s *fixture.Service, src *source, o inbound.ImportOptions) (inbound.ImportSummary, []inbound.ImportRow) {
	t.Helper()
	sum, rows, err := tryImporting(t, s, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum, rows
}

func tryImporting(t *testing.T, s *fixture.Service, src *source, o inbound.ImportOptions) (sum inbound.ImportSummary, rows []inbound.ImportRow, err error) {
	t.Helper()
	im := transfer.NewImporting(transfer.ImportPorts{Source: src, Archive: s.Archive, Hashes: s.Hasher, Ports: s.Ports})
	sum, err = im.Import(t.Context(), o, func(r inbound.ImportRow) error { rows = append(rows, r); return nil }, func(string, int64, int64) {})
	return sum, rows, err
}

// stored returns every user.
func stored(t *testing.T, s *fixture.Service) map[user.ID]user.Snapshot {
	t.Helper()
	page, err := s.Archive.Users().Page(t.Context(), "", 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	out := map[user.ID]user.Snapshot{}
	for _, u := range page {
		out[u.ID] = u
	}
	return out
}

// outcomes counts rows by outcome.
type outcomes struct{ added, updated, unchanged, kept, rejected int64 }

func outcomesOf(n map[inbound.Outcome]int64) outcomes {
	return outcomes{n[inbound.Added], n[inbound.Updated], n[inbound.Unchanged], n[inbound.Kept], n[inbound.Rejected]}
}

// only returns the counts of a single row.
func only(o inbound.Outcome) outcomes {
	n := make(map[inbound.Outcome]int64)
	n[o] = 1
	return outcomesOf(n)
}

func counts(t *testing.T, got inbound.ImportSummary, want outcomes) {
	t.Helper()
	if outcomesOf(got.Users) != want {
		t.Errorf("users: %v, want %+v", got.Users, want)
	}
}

func TestImportKeepsAllFields(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	row := sourceRow("7", "Admin.Person@Example.COM")
	row.Superuser, row.Active, row.LastLogin, row.FirstName = true, false, joined.Add(time.Hour), ""
	uuid := sourceRow("0190b7a5-0000-7000-8000-000000000001", "b@bücher.example")
	uuid.Password, uuid.Joined = credential.RestoreHash("!never"), time.Time{}
	sum, rows := importing(t, s, &source{users: []outbound.SourceUser{row, uuid}, last: 52}, inbound.ImportOptions{})
	counts(t, sum, outcomes{added: 2})
	if len(rows) != 0 || !sum.Complete() {
		t.Errorf("reported of %+v", rows)
	}
	want := map[user.ID]user.Snapshot{
		"7": {
			ID: "7", Email: "Admin.Person@Example.COM", EmailKey: "admin.person@example.com", LastName: "O'Neil", Staff: true,
			Password: fixture.Old("lantern"), Joined: time.Date(2021, 3, 1, 8, 0, 0, 123456e3, time.UTC),
			LastLogin: time.Date(2021, 3, 1, 9, 0, 0, 123456e3, time.UTC), Version: 1,
		},
		uuid.ID: {
			ID: uuid.ID, Email: "b@bücher.example", EmailKey: "b@xn--bcher-kva.example", FirstName: "Łukasz", LastName: "O'Neil", Active: true,
			Password: uuid.Password, Joined: fixture.Epoch, Version: 1,
		},
	}
	if got := stored(t, s); !maps.Equal(got, want) {
		t.Errorf("stored %+v\nwant %+v", got, want)
	}
	if last, err := s.Archive.LastUserID(t.Context()); err != nil || last != 52 {
		t.Errorf("the last counted id is %d, %v; want that of a deleted user", last, err)
	}
	events, err := s.AuditTrail.List(t.Context(), audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{audit.Imported}}, Limit: 2})
	if err != nil || len(events) != 1 || !strings.Contains(events[0].Detail, "2 added") {
		t.Errorf("the trail has %+v, %v", events, err)
	}
}

func TestImportRejects(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*outbound.SourceUser)
		want  inbound.Reason
	}{
		"malformed":          {func(u *outbound.SourceUser) { u.Fault = outbound.RowFault{Kind: outbound.RowMalformed, Text: "x"} }, inbound.ReasonMalformed},
		"id":                 {func(u *outbound.SourceUser) { u.Fault = outbound.RowFault{Kind: outbound.IDUnsupported, Text: "x"} }, inbound.ReasonUnsupportedID},
		"no email":           {func(u *outbound.SourceUser) { u.Email = " " }, inbound.ReasonNoEmail},
		"bad email":          {func(u *outbound.SourceUser) { u.Email = "bob" }, inbound.ReasonBadEmail},
		"long email":         {func(u *outbound.SourceUser) { u.Email = strings.Repeat("b", 250) + "@example.com" }, inbound.ReasonBadEmail},
		"invisible email":    {func(u *outbound.SourceUser) { u.Email = "b\u200bob@example.com" }, inbound.ReasonBadEmail},
		"duplicate email":    {func(u *outbound.SourceUser) { u.Email = "ANN@example.com" }, inbound.ReasonEmailTaken},
		"long name":          {func(u *outbound.SourceUser) { u.LastName = strings.Repeat("é", 151) }, inbound.ReasonBadName},
		"NUL in a name":      {func(u *outbound.SourceUser) { u.FirstName = "a\x00" }, inbound.ReasonBadName},
		"name of no text":    {func(u *outbound.SourceUser) { u.FirstName = "\xff" }, inbound.ReasonBadName},
		"costly hash":        {func(u *outbound.SourceUser) { u.Password = credential.RestoreHash("costly$x") }, inbound.ReasonCostlyHash},
		"unknown scheme":     {func(u *outbound.SourceUser) { u.Password, u.KnownScheme = credential.RestoreHash("homemade$x"), false }, inbound.ReasonUnknownScheme},
		"long hash":          {func(u *outbound.SourceUser) { u.Password = credential.RestoreHash("md5$" + strings.Repeat("x", 600)) }, inbound.ReasonBadHash},
		"NUL in a hash":      {func(u *outbound.SourceUser) { u.Password = credential.RestoreHash("md5$\x00") }, inbound.ReasonBadHash},
		"last id of all":     {func(u *outbound.SourceUser) { u.ID = "9223372036854775807" }, inbound.ReasonUnsupportedID},
		"id leaving few":     {func(u *outbound.SourceUser) { u.ID = user.IntegerID(user.LastImportedID + 1) }, inbound.ReasonUnsupportedID},
		"unsupported date":   {func(u *outbound.SourceUser) { u.Fault = outbound.RowFault{Kind: outbound.DateUnsupported, Text: "x"} }, inbound.ReasonBadDate},
		"first microsecond":  {func(u *outbound.SourceUser) { u.Joined = time.Time{}.Add(999) }, inbound.ReasonBadDate},
		"first login":        {func(u *outbound.SourceUser) { u.LastLogin = time.Time{}.Add(999) }, inbound.ReasonBadDate},
		"year 0":             {func(u *outbound.SourceUser) { u.Joined = time.Time{}.Add(-time.Hour) }, inbound.ReasonBadDate},
		"date beyond answer": {func(u *outbound.SourceUser) { u.Joined = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, inbound.ReasonBadDate},
	} {
		t.Run(name, func(t *testing.T) {
			bad := sourceRow("2", "bob@example.com")
			c.spoil(&bad)
			rows := []outbound.SourceUser{sourceRow("1", "ann@example.com"), bad, sourceRow("3", "cyd@example.com")}
			for _, dry := range []bool{true, false} {
				s := fixture.New(t, fixture.Django())
				sum, reported := importing(t, s, &source{users: rows}, inbound.ImportOptions{DryRun: dry})
				counts(t, sum, outcomes{added: 2, rejected: 1})
				if len(reported) != 1 || reported[0].Reason != c.want || reported[0].Detail == "" || reported[0].Location != "row 2" || string(reported[0].Row) != `{"pk":2}` || sum.Complete() {
					t.Errorf("dry %v: reported %+v", dry, reported)
				}
				if c.want == inbound.ReasonEmailTaken && reported[0].Other != "1" {
					t.Errorf("dry %v: the other is %q", dry, reported[0].Other)
				}
				if got := len(stored(t, s)); dry && got != 0 || !dry && got != 2 {
					t.Errorf("dry %v: %d stored", dry, got)
				}
			}
		})
	}
}

// With AcceptCostly, costly hashes are imported. A hash that cannot be verified has no cost.
func TestImportAcceptsCostlyHashes(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	costly, broken := sourceRow("1", "ann@example.com"), sourceRow("2", "bob@example.com")
	costly.Password, broken.Password = credential.RestoreHash("costly$x"), credential.RestoreHash("argon2$beyond$every$bound")
	rows := &source{users: []outbound.SourceUser{costly, broken}}
	sum, _ := importing(t, s, rows, inbound.ImportOptions{})
	counts(t, sum, outcomes{added: 1, rejected: 1})
	sum, _ = importing(t, s, rows, inbound.ImportOptions{AcceptCostly: true})
	counts(t, sum, outcomes{added: 1, unchanged: 1})
	if got := stored(t, s)["1"].Password; got != costly.Password {
		t.Errorf("stored %q", got.Encoded())
	}
}

func TestImportReportsNotices(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	legacy, editor := sourceRow("1", "ann@example.com"), sourceRow("2", "bob@example.com")
	legacy.Password = credential.RestoreHash("md5$salt$beef")
	editor.Staff = true
	sum, reported := importing(t, s, &source{users: []outbound.SourceUser{legacy, editor}}, inbound.ImportOptions{})
	counts(t, sum, outcomes{added: 2})
	if len(sum.Notices) != 2 || sum.Notices[inbound.NoticeNoPassword] != 1 || sum.Notices[inbound.NoticeStaff] != 1 || len(reported) != 2 || reported[0].Row != nil || !sum.Complete() {
		t.Errorf("notices %v, reported %+v", sum.Notices, reported)
	}
}

// An administrator may do everything here, as a superuser may in Django; is_staff alone opens Django's admin site.
func TestImportOfAdministrators(t *testing.T) {
	row := func(id string, staff, superuser bool) outbound.SourceUser {
		u := sourceRow(id, "user"+id+"@example.com")
		u.Staff, u.Superuser = staff, superuser
		return u
	}
	bad := row("5", true, true)
	bad.Email = "none"
	src := &source{users: []outbound.SourceUser{row("1", false, false), row("2", true, false), row("3", false, true), row("4", true, true), bad}}
	for asAdmin, c := range map[bool]struct {
		administrators []user.ID
		notice         inbound.Notice
		of             user.ID
	}{
		false: {[]user.ID{"3", "4"}, inbound.NoticeStaff, "2"}, true: {[]user.ID{"2", "4"}, inbound.NoticeSuperuser, "3"},
	} {
		for _, dry := range []bool{true, false} {
			s := fixture.New(t, fixture.Django())
			sum, reported := importing(t, s, src, inbound.ImportOptions{StaffAsAdmin: asAdmin, DryRun: dry})
			if sum.Staff != 2 || sum.Superusers != 2 || sum.Notices[c.notice] != 1 || len(sum.Notices) != 1 {
				t.Errorf("%t: %+v", asAdmin, sum)
			}
			if i := slices.IndexFunc(reported, func(r inbound.ImportRow) bool { return len(r.Notices) > 0 }); i < 0 || reported[i].ID != c.of {
				t.Errorf("%t: reported %+v", asAdmin, reported)
			}
			if dry {
				continue
			}
			var got []user.ID
			for id, u := range stored(t, s) {
				if u.Staff {
					got = append(got, id)
				}
			}
			if slices.Sort(got); !slices.Equal(got, c.administrators) {
				t.Errorf("%t: administrators %v, want %v", asAdmin, got, c.administrators)
			}
		}
	}
}

func TestImportAgain(t *testing.T) {
	row := func(change func(*outbound.SourceUser)) outbound.SourceUser {
		u := sourceRow("1", "ann@example.com")
		u.LastLogin = joined
		change(&u)
		return u
	}
	same := row(func(*outbound.SourceUser) {})
	renamed := row(func(u *outbound.SourceUser) { u.FirstName = "Anne" })
	signIn := func(t *testing.T, s *fixture.Service) { s.SignsIn(t, "ann@example.com", "lantern") }
	nothing := func(*testing.T, *fixture.Service) {}
	for name, c := range map[string]struct {
		during    func(*testing.T, *fixture.Service)
		again     outbound.SourceUser
		overwrite bool
		want      inbound.Outcome
		differs   []string
		check     func(user.Snapshot) bool
	}{
		"unchanged": {nothing, same, false, inbound.Unchanged, nil, func(u user.Snapshot) bool { return u.Version == 1 }},
		"name":      {nothing, renamed, false, inbound.Updated, []string{"first_name"}, func(u user.Snapshot) bool { return u.FirstName == "Anne" && u.Version == 2 }},
		"everything": {nothing, row(func(u *outbound.SourceUser) {
			u.Email, u.LastName, u.Active, u.Superuser, u.Password = "anne@example.com", "Li", false, true, fixture.Old("other")
			u.Joined, u.LastLogin = joined.Add(time.Hour), joined.Add(2*time.Hour)
		}), false, inbound.Updated, []string{"email", "last_name", "is_active", "is_staff", "password", "date_joined", "last_login"}, func(u user.Snapshot) bool {
			return u.EmailKey == "anne@example.com" && u.Password == fixture.Old("other") && u.Staff && !u.Active
		}},
		"no joining date": {nothing, row(func(u *outbound.SourceUser) { u.Joined, u.FirstName = time.Time{}, "Anne" }), false, inbound.Updated, []string{"first_name"}, func(u user.Snapshot) bool { return u.Joined.Year() == 2021 }},
		"signed in since": {signIn, same, false, inbound.Kept, []string{"password"}, func(u user.Snapshot) bool {
			return u.Password.Encoded() == "new$lantern" && u.LastLogin.Equal(fixture.Epoch)
		}},
		"signed in, and renamed there": {
			signIn, renamed, false, inbound.Kept, []string{"first_name", "password"},
			func(u user.Snapshot) bool { return u.FirstName == "Łukasz" && u.Password.Encoded() == "new$lantern" },
		},
		"the source counts for more": {
			signIn, renamed, true, inbound.Updated, []string{"first_name", "password"},
			func(u user.Snapshot) bool {
				return u.FirstName == "Anne" && u.Password == fixture.Old("lantern") && u.LastLogin.Equal(fixture.Epoch)
			},
		},
		"password changed here": {func(t *testing.T, s *fixture.Service) {
			if err := s.Administration.SetPassword(t.Context(), "1", field.Given(fixture.Password)); err != nil {
				t.Fatal(err)
			}
		}, same, false, inbound.Kept, []string{"password"}, func(u user.Snapshot) bool { return u.Password.Encoded() == "new$"+fixture.Password }},
		"renamed here, never signed in": {func(t *testing.T, s *fixture.Service) {
			if _, err := s.Administration.Set(t.Context(), "1", inbound.AdminChanges{LastName: field.Given("Lee")}); err != nil {
				t.Fatal(err)
			}
		}, same, false, inbound.Kept, []string{"last_name"}, func(u user.Snapshot) bool { return u.LastName == "Lee" }},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture.New(t, fixture.Django())
			importing(t, s, &source{users: []outbound.SourceUser{same}}, inbound.ImportOptions{})
			c.during(t, s)
			before := stored(t, s)["1"]
			sum, _ := importing(t, s, &source{users: []outbound.SourceUser{c.again}}, inbound.ImportOptions{DryRun: true, Overwrite: c.overwrite})
			counts(t, sum, only(c.want))
			if got := stored(t, s)["1"]; got != before {
				t.Errorf("a dry run made %+v of %+v", got, before)
			}
			sum, reported := importing(t, s, &source{users: []outbound.SourceUser{c.again}}, inbound.ImportOptions{Overwrite: c.overwrite})
			counts(t, sum, only(c.want))
			if got := stored(t, s)["1"]; !c.check(got) {
				t.Errorf("stored %+v", got)
			}
			if c.differs != nil && (len(reported) != 1 || !slices.Equal(reported[0].ChangedFields, c.differs)) {
				t.Errorf("reported %+v, want that %v differ", reported, c.differs)
			}
			sum, _ = importing(t, s, &source{users: []outbound.SourceUser{c.again}}, inbound.ImportOptions{})
			if sum.Users[inbound.Updated]+sum.Users[inbound.Added]+sum.Users[inbound.Rejected] != 0 {
				t.Errorf("a third time: %v", sum.Users)
			}
		})
	}
}

func TestImportTwiceChangedBetweenImports(t *testing.T) { // a change by an import is no local change
	s := fixture.New(t, fixture.Django())
	for _, name := range []string{"Ann", "Anne", "Annie"} {
		u := sourceRow("1", "ann@example.com")
		u.FirstName = name
		importing(t, s, &source{users: []outbound.SourceUser{u}}, inbound.ImportOptions{})
		if got := stored(t, s)["1"].FirstName; got != name {
			t.Errorf("the name is %s, want %s", got, name)
		}
	}
}

// A user registered here may have the id of a user of the source. The row is rejected then.
func TestImportKeepsUsersRegisteredHere(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	root := s.AddStaff(t, "root@example.com")
	row := sourceRow(string(root.ID()), "ann@example.com")
	for _, o := range []inbound.ImportOptions{{DryRun: true}, {}, {Overwrite: true}} {
		sum, reported := importing(t, s, &source{users: []outbound.SourceUser{row}}, o)
		counts(t, sum, outcomes{rejected: 1})
		if len(reported) != 1 || reported[0].Reason != inbound.ReasonIDTaken || reported[0].Other != root.ID() {
			t.Errorf("reported %+v", reported)
		}
	}
	s.SignsIn(t, "root@example.com", fixture.Password)
}

func TestImportWithoutIDs(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	rows := []outbound.SourceUser{sourceRow("", "ann@example.com"), sourceRow("", "bob@example.com")}
	sum, _ := importing(t, s, &source{users: rows}, inbound.ImportOptions{DryRun: true})
	counts(t, sum, outcomes{added: 2})
	sum, _ = importing(t, s, &source{users: rows}, inbound.ImportOptions{})
	counts(t, sum, outcomes{added: 2})
	before := stored(t, s)
	rows[1].FirstName = "Bobby"
	rows = append(rows, sourceRow("", "BOB@example.com")) // the same email key: the last row wins, as in loaddata
	sum, _ = importing(t, s, &source{users: rows}, inbound.ImportOptions{})
	counts(t, sum, outcomes{unchanged: 1, updated: 2})
	if n := sum.Notices[inbound.NoticeNewID]; n != 3 { // the ids differ from those in the tokens of the source
		t.Errorf("reported of %d new ids", n)
	}
	after := stored(t, s)
	if len(before) != 2 || !slices.Equal(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))) {
		t.Errorf("ids were %v and are %v", before, after)
	}
}

// A fixture has the times of its database truncated to milliseconds.
func TestImportOfFixtureKeepsMicroseconds(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	row := sourceRow("1", "ann@example.com")
	row.LastLogin = joined.Add(time.Hour)
	importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{})
	before := stored(t, s)
	row.Joined, row.LastLogin = row.Joined.Truncate(time.Millisecond), row.LastLogin.Truncate(time.Millisecond)
	sum, _ := importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{})
	counts(t, sum, only(inbound.Unchanged))
	if after := stored(t, s); !maps.Equal(after, before) {
		t.Errorf("of %+v it made %+v", before, after)
	}
	row.FirstName, row.Joined = "Bobby", row.Joined.Add(time.Millisecond)
	sum, _ = importing(t, s, &source{users: []outbound.SourceUser{row}}, inbound.ImportOptions{})
	counts(t, sum, only(inbound.Updated))
	if u := stored(t, s)["1"]; u.FirstName != "Bobby" || !u.Joined.Equal(row.Joined) || !u.LastLogin.Equal(before["1"].LastLogin) {
		t.Errorf("it made %+v", u)
	}
}

func TestImportTakesRevokedTokens(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	issued := fixture.Epoch.Add(-time.Hour)
	mint := func(jti string) string {
		return s.Mint(t, session.Claims{Type: session.Refresh, ID: jti, User: "1", HasUser: true, IssuedAt: issued, ExpiresAt: fixture.Epoch.Add(time.Hour)})
	}
	token := func(jti string, owner user.ID, expires time.Time) outbound.RevokedToken {
		return outbound.RevokedToken{ID: jti, User: owner, Issued: issued, Expires: expires, RevokedAt: issued}
	}
	later := fixture.Epoch.Add(time.Hour)
	src := &source{users: []outbound.SourceUser{sourceRow("1", "ann@example.com")}, tokens: []outbound.RevokedToken{
		token("revoked", "1", later), token("adopted", "1", later), token("over", "1", fixture.Epoch), token("nobody's", "", later),
	}}
	importing(t, s, src, inbound.ImportOptions{})
	s.Refreshes(t, mint("revoked")) // Blacklist is not set
	if err := s.SignOut(t.Context(), field.Given(mint("adopted"))); err != nil {
		t.Fatal(err)
	}
	for n, want := range []outcomes{{added: 1, unchanged: 1, rejected: 1}, {unchanged: 2, rejected: 1}} {
		sum, _ := importing(t, s, src, inbound.ImportOptions{Blacklist: true})
		if outcomesOf(sum.Tokens) != want || sum.Expired != 1 || !sum.Complete() {
			t.Errorf("run %d: %v, %d expired", n, sum.Tokens, sum.Expired)
		}
	}
	s.RefreshFails(t, mint("revoked"), session.ErrBlacklisted)
	s.Refreshes(t, mint("another"))
}

// An import that is interrupted anywhere and run again misses and duplicates nothing.
func TestImportResumes(t *testing.T) {
	const users = 2403 // more than two batches, the last one not full
	src := &source{}
	for n := range users {
		src.users = append(src.users, sourceRow(fmt.Sprint(n+1), fmt.Sprintf("user%d@example.com", n%2400))) // three twice
	}
	whole := fixture.New(t, fixture.Django())
	importing(t, whole, src, inbound.ImportOptions{})
	want := stored(t, whole)
	if len(want) != 2400 {
		t.Fatalf("%d users", len(want))
	}
	for _, cut := range []int{1, 999, 1000, 1001, 2000, 2402} {
		s := fixture.New(t, fixture.Django())
		src.cut = cut
		if _, _, err := tryImporting(t, s, src, inbound.ImportOptions{}); !errors.Is(err, errCut) {
			t.Errorf("cut at %d: %v", cut, err)
		}
		src.cut = 0
		sum, _ := importing(t, s, src, inbound.ImportOptions{})
		if got := stored(t, s); !cmp.Equal(got, want, cmp.Comparer(func(a, b user.Snapshot) bool { return a == b })) {
			t.Errorf("cut at %d: %d users, not the same as without", cut, len(got))
		}
		if sum.Users[inbound.Rejected] != 3 || sum.Users[inbound.Unchanged] != int64(cut/1000*1000) {
			t.Errorf("cut at %d: %v", cut, sum.Users)
		}
	}
}
