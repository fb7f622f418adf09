package audit_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"roster/domain/audit"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestCleanRemovesControlCharacters(t *testing.T) {
	e := audit.Event{
		UserAgent: "a\r\nlevel=error msg=\"forged\"\x1b[31m\x00\u0085\u2028" + strings.Repeat("é", 500),
		Address:   strings.Repeat("x", 1000), Detail: "b\xff",
	}.Clean()
	for _, s := range []string{e.UserAgent, e.Address, e.Detail} {
		if strings.ContainsAny(s, "\r\n\x00\x1b\u0085\u2028") || !utf8.ValidString(s) || len(s) > 256 {
			t.Errorf("%q", s)
		}
	}
	if !strings.HasPrefix(e.UserAgent, "a") || !strings.Contains(e.UserAgent, "é") || e.Detail != "b\uFFFD" {
		t.Errorf("%q, %q", e.UserAgent, e.Detail)
	}
}

func TestFilters(t *testing.T) {
	e := audit.Event{ID: "1", At: t0, Kind: audit.SignedIn, Actor: "7", User: "8"}
	for _, c := range []struct {
		name string
		f    audit.Filter
		want bool
	}{
		{"all", audit.Filter{}, true},
		{"kind", audit.Filter{Kinds: []audit.Kind{audit.Deleted, audit.SignedIn}}, true},
		{"other kind", audit.Filter{Kinds: []audit.Kind{audit.Deleted}}, false},
		{"actor", audit.Filter{Actor: "7"}, true},
		{"other actor", audit.Filter{Actor: "8"}, false},
		{"user", audit.Filter{User: "8"}, true},
		{"other user", audit.Filter{User: "7"}, false},
		{"since its time", audit.Filter{Since: t0}, true},
		{"since later", audit.Filter{Since: t0.Add(time.Millisecond)}, false},
		{"until its time", audit.Filter{Until: t0}, false},
		{"until later", audit.Filter{Until: t0.Add(time.Millisecond)}, true},
	} {
		if got := c.f.Matches(e); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestOrder(t *testing.T) {
	older, newer, same := audit.Position{At: t0, ID: "2"}, audit.Position{At: t0.Add(1), ID: "1"}, audit.Position{At: t0, ID: "3"}
	if older.Compare(newer) >= 0 || older.Compare(same) >= 0 || same.Compare(older) <= 0 || older.Compare(older) != 0 {
		t.Error("not by time, then by id")
	}
}

func TestCheck(t *testing.T) {
	good := audit.Event{ID: "1", At: t0, Kind: audit.SignedIn}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []audit.Event{{At: t0, Kind: audit.SignedIn}, {ID: "1", Kind: audit.SignedIn}, {ID: "1", At: t0}} {
		if err := bad.Check(); !errors.Is(err, audit.ErrBadEvent) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
