package ndjson

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"roster/domain/archive"

	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// filled returns a record whose every member has a value of its own.
func filled(t *testing.T, record any) any {
	t.Helper()
	v := reflect.New(reflect.TypeOf(record)).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		switch f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(at.Add(time.Duration(i) * time.Hour)))
			continue
		case credential.Hash:
			f.Set(reflect.ValueOf(credential.RestoreHash(fmt.Sprintf("hash%d", i))))
			continue
		case user.Networks:
			f.Set(reflect.ValueOf(user.RestoreNetworks(fmt.Sprintf("networks%d", i))))
			continue
		}
		switch {
		case f.Kind() == reflect.String:
			f.SetString(fmt.Sprintf("<%d> \"é\"\n\u2028", i))
		case f.Kind() == reflect.Bool:
			f.SetBool(i%2 == 1)
		case f.Kind() == reflect.Struct:
			f.Set(reflect.ValueOf(filled(t, f.Interface())))
		case f.CanInt():
			f.SetInt(int64(i) + 1)
		default:
			t.Fatalf("%T.%s is a %s: teach this test and the format", record, v.Type().Field(i).Name, f.Kind())
		}
	}
	return v.Interface()
}

// Every member of every record is restored from an export.
func TestEveryMemberComesBack(t *testing.T) {
	for kind, zero := range map[string]any{kindUser: user.Snapshot{}, kindSession: session.Snapshot{}, kindAttempt: lockout.Snapshot{}, kindEvent: audit.Event{}, kindMail: mail.Snapshot{}} {
		for _, want := range []any{zero, filled(t, zero)} {
			line, err := Records{}.Line(want)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(line, []byte("\n")); n != 1 || line[len(line)-1] != '\n' {
				t.Errorf("%s is not one line: %q", kind, line)
			}
			got, err := record(kind, line)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v\n%s\nis %#v\nwas %#v", kind, err, line, got, want)
			}
		}
	}
	if _, err := (Records{}).Line("x"); err == nil {
		t.Error("a text was a record")
	}
}

// The exact text is part of the format: other programs compute the same digests.
func TestSpelling(t *testing.T) {
	line, err := Records{}.Line(user.Snapshot{
		ID: "7", Email: "ann@bücher.example", EmailKey: "ann@xn--bcher-kva.example", FirstName: "<Ann>", Active: true,
		Password: credential.RestoreHash("md5$a$b"), Joined: at, Version: 2,
	})
	const want = `{"kind":"user","id":"7","email":"ann@bücher.example","email_key":"ann@xn--bcher-kva.example","first_name":"<Ann>","last_name":"",` +
		`"is_active":true,"is_staff":false,"password":"md5$a$b","date_joined":"2026-01-02T03:04:05.678000Z","last_login":null,"session_epoch":0,"sessions_valid_after":null,"networks":"","email_state":"","version":2}` + "\n"
	if err != nil || string(line) != want {
		t.Errorf("%v\n%s\n%s", err, line, want)
	}
	line, err = Records{}.Line(user.Snapshot{EmailState: user.Invited, Contact: user.Contact{UndoEmail: "a", UndoKey: "a", UndoSince: at}})
	const contact = `"email_state":"invitation","contact":{"undo_email":"a","undo_email_key":"a","undo_since":"2026-01-02T03:04:05.678000Z"},"version":0}` + "\n"
	if err != nil || !strings.HasSuffix(string(line), contact) {
		t.Errorf("%v\n%s does not end with\n%s", err, line, contact)
	}
}

// written returns an export of two records.
func written(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	one, err1 := Records{}.Line(user.Snapshot{ID: "7", Email: "a@b.example", EmailKey: "a@b.example", Joined: at, Version: 1})
	two, err2 := Records{}.Line(audit.Event{ID: "e", At: at, Kind: audit.SignedIn})
	err := errors.Join(
		err1, err2,
		w.Begin(outbound.ExportHeader{ExportedAt: at, LastUserID: 9}),
		w.Write(one),
		w.Write(two),
		w.End(outbound.ExportFooter{Contents: []archive.Contents{{Collection: "users", Count: 1, Digest: "ab"}}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func reading(t *testing.T, text string) (outbound.ExportHeader, []any, outbound.ExportFooter, error) {
	t.Helper()
	var head outbound.ExportHeader
	var records []any
	foot, err := NewReader(strings.NewReader(text)).Read(t.Context(),
		func(h outbound.ExportHeader) error { head = h; return nil },
		func(r any) error { records = append(records, r); return nil })
	return head, records, foot, err
}

func TestExportComesBack(t *testing.T) {
	text := written(t)
	if want := `{"kind":"roster_export","version":3,"exported_at":"2026-01-02T03:04:05.678000Z","last_user_id":9}` + "\n"; !strings.HasPrefix(text, want) {
		t.Errorf("the header is %s", text[:len(want)])
	}
	if want := "\n" + `{"kind":"end","contents":[{"collection":"users","count":1,"sha256":"ab"}]}` + "\n"; !strings.HasSuffix(text, want) {
		t.Errorf("the footer is not %s in %s", want, text)
	}
	head, records, foot, err := reading(t, text)
	if err != nil || head.LastUserID != 9 || len(records) != 2 || len(foot.Contents) != 1 || foot.Contents[0].Count != 1 {
		t.Errorf("%v %+v %+v %+v", err, head, records, foot)
	}
}

// A truncated export is refused, wherever it was cut.
func TestCutExports(t *testing.T) {
	text := written(t)
	for n := range len(text) {
		if _, _, _, err := reading(t, text[:n]); err == nil {
			t.Fatalf("cut after %d of %d bytes: accepted", n, len(text))
		}
	}
}

func TestBadExports(t *testing.T) {
	text := written(t)
	lines := strings.SplitAfter(text, "\n")
	replaced := func(old, fresh string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(text, old, fresh, 1)
	}
	for name, bad := range map[string]string{
		"empty": "", "another file": "id,email\n", "no header": strings.Join(lines[1:], ""),
		"newer":           replaced(`"version":3,"exp`, `"version":4,"exp`),
		"older":           replaced(`"version":3,"exp`, `"version":2,"exp`),
		"unknown kind":    replaced(`"kind":"user"`, `"kind":"group"`),
		"unknown member":  replaced(`"is_staff"`, `"is_root":true,"is_staff"`),
		"bad time":        replaced(`"date_joined":"2026`, `"date_joined":"x`),
		"bad id":          replaced(`"id":"7"`, `"id":"07"`),
		"unknown contact": replaced(`"email_state":""`, `"email_state":"","contact":{"fax":"1"}`),
		"no email":        replaced(`"email":"a@b.example"`, `"email":""`),
		"no JSON":         replaced(`{"kind":"user"`, `{"kind"`),
		"too long":        replaced(`"first_name":"`, `"first_name":"`+strings.Repeat("x", maxLine)),
		"goes on":         text + lines[1],
	} {
		if _, _, _, err := reading(t, bad); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}
