package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"roster/domain/user"
	"roster/ports/inbound"
)

// A file of results appears when it is complete, and may replace the file that was read.
func TestResultFile(t *testing.T) {
	dir := t.TempDir()
	r := resultFile{path: filepath.Join(dir, "rejects.jsonl")}
	if made, err := r.close(); made || err != nil {
		t.Errorf("not opened: %v, %v", made, err)
	}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	if made, err := r.close(); made || err != nil {
		t.Errorf("without a line: %v, %v", made, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if err := os.WriteFile(r.path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	if err := r.add(json.RawMessage("{\n  \"a\": 1\n}")); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(r.path); err != nil || string(text) != "before" {
		t.Errorf("while it is written: %q, %v", text, err)
	}
	if err := r.add(json.RawMessage("no JSON")); err == nil {
		t.Error("took what is no JSON")
	}
	if made, err := r.close(); !made || err != nil {
		t.Errorf("%v, %v", made, err)
	}
	text, err := os.ReadFile(r.path)
	info, err2 := os.Stat(r.path)
	if err != nil || err2 != nil || string(text) != "{\"a\":1}\n" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q, %v, %v, %v", text, info.Mode(), err, err2)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	for _, path := range []string{filepath.Join(dir, "none", "x"), dir} {
		if err := (&resultFile{path: path}).open(); err == nil {
			t.Errorf("opened %s", path)
		}
	}
}

func TestReportLine(t *testing.T) {
	for want, row := range map[string]inbound.ImportRow{
		`{"place":"object 2","id":2,"email":"a@b.example","outcome":"rejected","reason":"duplicate_email","detail":"x","other_id":"1"}`: {
			Location: "object 2", ID: "2", Email: "a@b.example", Outcome: inbound.Rejected, Reason: inbound.ReasonEmailTaken, Detail: "x", Other: "1", Row: []byte("secret"),
		},
		`{"place":"object 3","id":null,"email":"","outcome":"kept","members":["password"]}`: {Location: "object 3", Outcome: inbound.Kept, ChangedFields: []string{"password"}},
		`{"place":"p","id":"0190b7a5-0000-7000-8000-000000000001","email":"","outcome":"added","notices":["superuser_without_staff"]}`: {
			Location: "p", ID: user.ID("0190b7a5-0000-7000-8000-000000000001"), Outcome: inbound.Added, Notices: []inbound.Notice{inbound.NoticeSuperuser},
		},
	} {
		if got, err := json.Marshal(newReportLine(row)); err != nil || string(got) != want {
			t.Errorf("%v\n%s\n%s", err, got, want)
		}
	}
}
