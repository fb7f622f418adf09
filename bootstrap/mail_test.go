package bootstrap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// roster check finds what a start finds in the settings of mail, and names the setting. It makes no directory.
func TestMailIsChecked(t *testing.T) {
	check := func(settings ...string) error {
		return Check(t.Context(), load(t, append(settings, "ROSTER_DATABASE=memory:", "ROSTER_MAIL_FROM=a@example.com", "ROSTER_PUBLIC_URL=https://id.example.org")...))
	}
	for setting, want := range map[string]string{
		"ROSTER_MAIL=file://host/dir":                          "ROSTER_MAIL: ",
		"ROSTER_MAIL=smtp://mail.example.com:0":                "ROSTER_MAIL: ",
		"ROSTER_MAIL=smpt://mail.example.com":                  "ROSTER_MAIL: ",
		"ROSTER_MAIL=smtp://u:s3cret@mail.example.com?tls=off": "ROSTER_MAIL: ",
		"ROSTER_MAIL=smtp://u:s3cret%zz@mail.example.com":      "ROSTER_MAIL: ",
		"ROSTER_MAIL_REPLY_TO=é@example.com":                   "ROSTER_MAIL_REPLY_TO: ",
		"ROSTER_MAIL_TEMPLATES=/nowhere":                       "ROSTER_MAIL_TEMPLATES: ",
	} {
		if err := check(setting); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", setting, err)
		}
	}
	if err := Check(t.Context(), load(t, "ROSTER_DATABASE=memory:", "ROSTER_MAIL_FROM=é@example.com")); err == nil || !strings.HasPrefix(err.Error(), "ROSTER_MAIL_FROM: ") {
		t.Errorf("a sender that is not ASCII: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "mails")
	for _, good := range []string{"file:" + dir, "log:", "off", "smtp://127.0.0.1:2525", "smtp://u:s3cret@mail.example.com", "smtps://mail.example.com", "smtp://mail.example.com?tls=off"} {
		if err := check("ROSTER_MAIL=" + good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the check made a directory: %v", err)
	}
}
