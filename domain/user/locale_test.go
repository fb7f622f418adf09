package user_test

import (
	"strings"
	"testing"

	"roster/domain/field"
	"roster/domain/user"
)

func TestCheckLocale(t *testing.T) {
	for _, tag := range []string{"de", "pt-BR", "zh-Hans-CN", "sl-rozaj-biske-1994", " fr "} {
		got, faults := user.CheckLocale(field.Given(tag))
		if got == nil || *got != strings.TrimSpace(tag) || len(faults) > 0 {
			t.Errorf("%q: %v, %v", tag, got, faults)
		}
	}
	for _, tag := range []string{"d", "de_DE", "de-", "-de", "../en", "12", "de-verylongsubtag", "de\n-DE", "abcdefgh" + strings.Repeat("-abcdefgh", 4)} {
		if got, faults := user.CheckLocale(field.Given(tag)); got != nil || len(faults) != 1 || faults[0].Name != "locale" {
			t.Errorf("%q: %v, %v", tag, got, faults)
		}
	}
	for name, none := range map[string]field.Text{"null": field.Null(), "blank": field.Given(" ")} {
		if got, faults := user.CheckLocale(none); got == nil || *got != "" || len(faults) > 0 {
			t.Errorf("%s: %v, %v", name, got, faults)
		}
	}
	if got, faults := user.CheckLocale(field.Text{}); got != nil || len(faults) > 0 {
		t.Errorf("absent: %v, %v", got, faults)
	}
	if got, faults := user.CheckLocale(field.NotText()); got != nil || len(faults) != 1 {
		t.Errorf("no text: %v, %v", got, faults)
	}
}
