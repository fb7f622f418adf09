package console

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// hostile is text with control sequences of terminals and characters that change the direction of text.
const hostile = "\u009b31mRED\u009b0m \x1b[2J\x1b]0;owned\x07 \u202egpj.exe \u2028 \x7f \U000e0001 Zoë"

func steers(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && hidden(r) })
}

func TestVisibleOfHostileText(t *testing.T) {
	if got := Visible(hostile); steers(got) || !strings.HasSuffix(got, "Zoë") || !strings.HasPrefix(got, `\u009b31mRED`) {
		t.Errorf("%q", got)
	}
}

func TestJSONHoldsTheSameTextWithoutControls(t *testing.T) {
	var b bytes.Buffer
	if err := json.NewEncoder(JSONWriter{Writer: &b}).Encode(map[string]string{"name": hostile}); err != nil {
		t.Fatal(err)
	}
	if steers(b.String()) {
		t.Errorf("%q", b.String())
	}
	var back map[string]string
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back["name"] != hostile {
		t.Errorf("%q, %v", back["name"], err)
	}
}
