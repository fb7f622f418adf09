package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"roster/domain/archive"

	"roster/adapters/ndjson"
	"roster/adapters/storage/memory"
	"roster/application/transfer"
	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

const many = 1003 // more than one batch of each collection

func distinctUser(n int) user.Snapshot {
	id, email := user.IntegerID(int64(n+1)), fmt.Sprintf("user%d@example.com", n)
	if n%3 == 2 {
		id = user.ID(fmt.Sprintf("00000000-0000-7000-8000-%012x", n))
	}
	return user.Snapshot{
		ID: id, Email: email, EmailKey: email, FirstName: "Łukasz", Active: n%2 == 0, Staff: n%5 == 0,
		Password: credential.RestoreHash("md5$a$b"), Joined: at.Add(time.Duration(n) * time.Second), LastLogin: at, Version: int64(n + 1),
	}
}

func oneSession(n int) session.Snapshot {
	return session.Snapshot{
		ID: session.ID(fmt.Sprintf("%024x", n)), User: distinctUser(n).ID, Created: at, Expires: at.Add(time.Hour),
		Generation: n, RotatedAt: at, RevokedAt: at, Reason: session.SignedOut, UserAgent: "a \"b\"\n", Address: "127.0.0.1", Version: 2,
	}
}

func oneAttempt(n int) lockout.Snapshot {
	return lockout.Snapshot{Subject: lockout.ForAddress(fmt.Sprint(n)), Failures: n, Last: at, Expires: at.Add(time.Hour), Version: 1}
}

func oneEvent(n int) audit.Event {
	return audit.Event{ID: audit.ID(fmt.Sprintf("%032x", n)), At: at, Kind: audit.SignedIn, User: distinctUser(n).ID, Channel: audit.API}
}

func oneMail(n int) mail.Snapshot {
	return mail.Snapshot{
		ID: mail.ID(fmt.Sprintf("%032x", n)), Kind: mail.PasswordReset, To: "a@example.com", Key: "a@example.com", Queued: at, State: mail.Waiting,
		Due: at, Version: 1,
	}
}

func put[T any](t *testing.T, c outbound.Collection[T], n int, record func(int) T) {
	t.Helper()
	var records []T
	for i := range n {
		records = append(records, record(i))
	}
	refused, err := c.Put(t.Context(), records)
	if err != nil || slices.ContainsFunc(refused, func(err error) bool { return err != nil }) {
		t.Fatal(err, refused)
	}
}

// filled returns an archive with many records of each kind, whose counter is ahead.
func filled(t *testing.T) outbound.Archive {
	t.Helper()
	a := memory.New().Archive()
	put(t, a.Users(), many, distinctUser)
	put(t, a.Sessions(), many, oneSession)
	put(t, a.Attempts(), many, oneAttempt)
	put(t, a.Events(), many, oneEvent)
	put(t, a.Mails(), many, oneMail)
	if err := a.SkipUserIDs(t.Context(), 5000); err != nil {
		t.Fatal(err)
	}
	return a
}

func quiet(string, int64, int64) {}

func copying(t *testing.T, from, to outbound.Archive, o inbound.CopyOptions) ([]archive.Contents, error) {
	t.Helper()
	return transfer.NewCopying(from, to, ndjson.Records{}).Copy(t.Context(), o, quiet)
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestCopyIsTheSame(t *testing.T) {
	from, to := filled(t), memory.New().Archive()
	got, err := copying(t, from, to, inbound.CopyOptions{})
	if err != nil || len(got) != 5 {
		t.Fatal(got, err)
	}
	for _, c := range got {
		if c.Count != many || len(c.Digest) != 64 {
			t.Errorf("%+v", c)
		}
	}
	if last, err := to.LastUserID(t.Context()); err != nil || last != 5000 {
		t.Errorf("the last counted id is %d, %v", last, err)
	}
	again, err := copying(t, from, to, inbound.CopyOptions{VerifyOnly: true})
	if err != nil || !slices.Equal(again, got) {
		t.Errorf("compared again: %v, %v", again, err)
	}
	_, err = copying(t, from, to, inbound.CopyOptions{})
	wantError(t, "a target that holds something", err, archive.ErrNotEmpty)
	_, err = copying(t, from, to, inbound.CopyOptions{Resume: true})
	wantError(t, "nothing left to copy", err, nil)
}

// A comparison finds every difference between two records, and so does the resumption of a copy.
func TestDifferencesAreFound(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, a outbound.Archive){
		"a user more": func(t *testing.T, a outbound.Archive) {
			put(t, a.Users(), 1, func(int) user.Snapshot { return distinctUser(many) })
		},
		"a session more": func(t *testing.T, a outbound.Archive) {
			put(t, a.Sessions(), 1, func(int) session.Snapshot { return oneSession(many) })
		},
		"a failure more": func(t *testing.T, a outbound.Archive) {
			put(t, a.Attempts(), 1, func(int) lockout.Snapshot { return oneAttempt(many) })
		},
		"an event more": func(t *testing.T, a outbound.Archive) {
			put(t, a.Events(), 1, func(int) audit.Event { return oneEvent(many) })
		},
		"a mail more": func(t *testing.T, a outbound.Archive) {
			put(t, a.Mails(), 1, func(int) mail.Snapshot { return oneMail(many) })
		},
		"another counter": func(t *testing.T, a outbound.Archive) { _ = a.SkipUserIDs(t.Context(), 5001) },
	} {
		from, to := filled(t), filled(t)
		spoil(t, to)
		_, err := copying(t, from, to, inbound.CopyOptions{VerifyOnly: true})
		wantError(t, name+" in the target", err, archive.ErrDifferent)
		_, err = copying(t, from, to, inbound.CopyOptions{Resume: true})
		wantError(t, name+" in the target, going on", err, archive.ErrDifferent)
		_, err = copying(t, to, from, inbound.CopyOptions{VerifyOnly: true})
		wantError(t, name+" in the source", err, archive.ErrDifferent)
		_, err = copying(t, to, from, inbound.CopyOptions{Resume: true})
		wantError(t, name+" in the source, going on", err, nil)
	}
	from, to := filled(t), memory.New().Archive()
	put(t, to.Users(), 1, func(int) user.Snapshot { u := distinctUser(0); u.FirstName = "Ann"; return u })
	_, err := copying(t, from, to, inbound.CopyOptions{Resume: true})
	wantError(t, "another user with the id", err, archive.ErrDifferent)
	to = memory.New().Archive()
	put(t, to.Users(), 1, func(int) user.Snapshot { u := distinctUser(0); u.ID = "99999"; return u })
	_, err = copying(t, from, to, inbound.CopyOptions{Resume: true})
	wantError(t, "another user with the address", err, archive.ErrDifferent)
}

// failing is an archive that fails after some pages were put.
type failing struct {
	outbound.Archive
	puts *int
}

var errDown = errors.New("down")

func (f failing) Users() outbound.Collection[user.Snapshot] {
	return failingCollection[user.Snapshot]{f.Archive.Users(), f.puts}
}

func (f failing) Sessions() outbound.Collection[session.Snapshot] {
	return failingCollection[session.Snapshot]{f.Archive.Sessions(), f.puts}
}

func (f failing) Events() outbound.Collection[audit.Event] {
	return failingCollection[audit.Event]{f.Archive.Events(), f.puts}
}

func (f failing) Mails() outbound.Collection[mail.Snapshot] {
	return failingCollection[mail.Snapshot]{f.Archive.Mails(), f.puts}
}

type failingCollection[T any] struct {
	outbound.Collection[T]
	puts *int
}

// Put stores half of the last records that it takes.
func (f failingCollection[T]) Put(ctx context.Context, records []T) ([]error, error) {
	*f.puts--
	if *f.puts < 0 {
		_, _ = f.Collection.Put(ctx, records[:len(records)/2])
		return nil, errDown
	}
	return f.Collection.Put(ctx, records)
}

// A copy that was interrupted at any point can be resumed, and is complete in the end.
func TestCopyResumes(t *testing.T) {
	from := filled(t)
	want, err := copying(t, from, memory.New().Archive(), inbound.CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for cut := range 6 {
		to, n := memory.New().Archive(), cut
		_, err := copying(t, from, failing{to, &n}, inbound.CopyOptions{})
		wantError(t, "cut off", err, errDown)
		_, err = copying(t, from, to, inbound.CopyOptions{VerifyOnly: true})
		wantError(t, "compared half way", err, archive.ErrDifferent)
		got, err := copying(t, from, to, inbound.CopyOptions{Resume: true})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d: %v, %v", cut, got, err)
		}
	}
}

// exported returns an export of an archive.
func exported(t *testing.T, a outbound.Archive) (string, []archive.Contents) {
	t.Helper()
	s := fixture.New(t, fixture.Standard())
	var b bytes.Buffer
	got, err := transfer.NewExporting(a, ndjson.NewWriter(&b), ndjson.Records{}, s.Ports).Export(t.Context(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.AuditTrail.List(t.Context(), audit.Query{Limit: 2})
	if err != nil || len(events) != 1 || events[0].Kind != audit.Exported {
		t.Errorf("the trail has %+v, %v", events, err)
	}
	return b.String(), got
}

func restoring(r io.Reader, to outbound.Archive) *transfer.Restoring {
	return transfer.NewRestoring(ndjson.NewReader(r), to, ndjson.Records{})
}

func TestExportRestores(t *testing.T) {
	from := filled(t)
	text, want := exported(t, from)
	if got, err := restoring(bytes.NewBufferString(text), memory.New().Archive()).Check(t.Context(), quiet); err != nil || !slices.Equal(got, want) {
		t.Errorf("checked: %v, %v", got, err)
	}
	for cut := range 7 {
		to, n := memory.New().Archive(), cut-1
		if cut > 0 { // interrupted first
			_, err := restoring(bytes.NewBufferString(text), failing{to, &n}).Restore(t.Context(), false, quiet)
			wantError(t, "cut off", err, errDown)
		}
		got, err := restoring(bytes.NewBufferString(text), to).Restore(t.Context(), cut > 0, quiet)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d: %v, %v", cut, got, err)
		}
		_, err = copying(t, from, to, inbound.CopyOptions{VerifyOnly: true})
		wantError(t, "compared", err, nil)
		_, err = restoring(bytes.NewBufferString(text), to).Restore(t.Context(), false, quiet)
		wantError(t, "restored twice", err, archive.ErrNotEmpty)
	}
}

// The last line of an export reveals changed and removed lines.
func TestTamperedExports(t *testing.T) {
	text, _ := exported(t, filled(t))
	lines := bytes.SplitAfter([]byte(text), []byte("\n"))
	swapped := slices.Clone(lines)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	for name, bad := range map[string][]byte{
		"a line less":  bytes.Join(slices.Delete(slices.Clone(lines), 5, 6), nil),
		"a line twice": bytes.Join(slices.Insert(slices.Clone(lines), 5, lines[5]), nil),
		"order":        bytes.Join(swapped, nil),
		"a flag":       bytes.Replace([]byte(text), []byte(`"is_staff":false`), []byte(`"is_staff":true`), 1),
		"a collection": bytes.Join(append(slices.Clone(lines[:many+1]), lines[len(lines)-2:]...), nil),
	} {
		if _, err := restoring(bytes.NewReader(bad), memory.New().Archive()).Check(t.Context(), quiet); err == nil {
			t.Errorf("%s: not found", name)
		}
		if _, err := restoring(bytes.NewReader(bad), memory.New().Archive()).Restore(t.Context(), false, quiet); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
}
