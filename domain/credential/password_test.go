package credential_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
)

func TestSecretsNeverPrint(t *testing.T) {
	p, h := credential.NewPassword("lantern"), credential.RestoreHash("lantern")
	type command struct {
		Password credential.Password
		Hash     credential.Hash
		Pointer  *credential.Password
	}
	c := command{p, h, &p}
	hidden := struct{ p credential.Password }{p} // fmt calls no method of an unexported field
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{p, &p, h, &h, c, &c, hidden, []credential.Password{p}, map[string]credential.Hash{"h": h}, fault.ErrInvalid} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "lantern") || strings.Contains(strings.ToLower(out), "6c616e") {
				t.Errorf("%s of %T: %s", verb, v, out)
			}
		}
	}
	for _, v := range []any{p, &p, h, c, &c, hidden} {
		if out, err := json.Marshal(v); err != nil || strings.Contains(string(out), "lantern") {
			t.Errorf("JSON of %T: %s, %v", v, out, err)
		}
	}
	if p.Reveal() != "lantern" || h.Encoded() != "lantern" || (credential.Password{}).Reveal() != "" {
		t.Error("revealed wrongly")
	}
}

func TestUsable(t *testing.T) {
	for encoded, want := range map[string]bool{
		"": false, "!": false, "!UGyEpAw11jS8Z0F7LFRkwYTspQklj9Szh584V5FD": false, "!argon2$x": false, "argon2$x": true, " ": true, "x!": true,
	} {
		if credential.RestoreHash(encoded).Usable() != want {
			t.Errorf("%q: %t", encoded, !want)
		}
	}
	if credential.Unusable.Usable() {
		t.Error("Unusable is usable")
	}
}

func TestFaults(t *testing.T) {
	if !errors.Is(credential.ErrWrongPassword, fault.ErrInvalid) || fault.KindOf(credential.ErrBusy) != fault.Unavailable {
		t.Error("kinds")
	}
	rule := credential.FieldRule("password", true, true, 0)
	if _, _, faults := rule.Check(field.Given(strings.Repeat("x", credential.MaxBytes))); faults != nil {
		t.Errorf("at the limit: %v", faults)
	}
	if _, _, faults := rule.Check(field.Given(strings.Repeat("x", credential.MaxBytes+1))); len(faults) != 1 || faults[0].Message != "Ensure this field has no more than 1024 bytes." {
		t.Errorf("over the limit: %v", faults)
	}
	if value, _, _ := rule.Check(field.Given(" x ")); value != " x " {
		t.Errorf("kept: %q", value)
	}
	if value, _, faults := credential.FieldRule("password", true, false, 128).Check(field.Given(" " + strings.Repeat("x", 129) + " ")); len(value) != 129 || len(faults) != 1 {
		t.Errorf("DRF's: %q, %v", value, faults)
	}
}
