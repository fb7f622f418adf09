package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// LogMail as the URL of mail writes each mail to the log, with its link.
const LogMail = "log:"

// Notices are the items of mail_notices.
var Notices = []string{"password_changed", "email_changed", "new_device", "sessions_ended"}

// DjoserOptions are the items of djoser_options: djoser's own settings in lower case, show_users, which is HIDE_USERS off, and
// token_login, which serves djoser.urls.authtoken.
var DjoserOptions = []string{
	"send_confirmation_email", "password_reset_show_email_not_found", "user_create_password_retype", "set_password_retype",
	"password_reset_confirm_retype", "logout_on_password_change", "password_changed_email_confirmation", "set_username_retype",
	"username_reset_confirm_retype", "username_changed_email_confirmation", "show_users", "token_login",
}

// choice returns the rule that a text is one of some.
func choice(of []string) func(string) bool {
	return func(text string) bool { return slices.Contains(of, text) }
}

// isLinkURL accepts the template of a link. A page that a link leads to may be of any scheme that has a host, such as that
// of an app on a phone.
func isLinkURL(text string) bool {
	u, err := url.Parse(text)
	return text == "" || err == nil && u.Scheme != "" && u.Scheme != "javascript" && u.Scheme != "data" && u.Host != "" &&
		u.User == nil &&
		(strings.Contains(text, "{uid}") && strings.Contains(text, "{token}") || strings.Contains(text, "{key}"))
}

var mountPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-]+)+$`)

func isMountPath(text string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	served := []string{"api", "account", "console", "livez", "readyz"}
	return text == "" || mountPath.MatchString(text) && !slices.Contains(served, first)
}

// MailURL returns where mails go: the setting, or its default. That is the log, or Off where the service is open to the
// network and has no public_url that links could begin with.
func (c Config) MailURL() string {
	switch {
	case c.Mail.Set():
		return c.Mail.Reveal()
	case c.LinkBase() == "":
		return Off
	}
	return LogMail
}

// MailScheme returns the scheme of MailURL, or Off.
func (c Config) MailScheme() string {
	scheme, _, _ := strings.Cut(c.MailURL(), ":")
	return scheme
}

// LinkBase returns the URL that links to the built-in pages begin with: public_url, else the address of a listener that only
// this machine reaches. It is "" when there is neither, since the Host header of a request can be forged.
func (c Config) LinkBase() string {
	switch {
	case c.PublicURL != "" && c.PublicURL != FromHost:
		return c.PublicURL
	case !loopback(c.Listen):
		return ""
	case c.TLS():
		return "https://" + c.Listen
	}
	return "http://" + c.Listen
}

// Option reports whether djoser_options has an item.
func (c Config) Option(name string) bool { return slices.Contains(c.DjoserOptions, name) }

// checkMail checks the settings of mail with each other. The adapter that sends mails checks them by themselves, at the start.
func (l *loader) checkMail() {
	c := &l.cfg
	if toServer(c.MailScheme()) && c.MailFrom == "" {
		l.refuse("mail_from", "is needed with mail: the address that mails come from", "mail")
	}
	if c.MailURL() != Off && c.LinkBase() == "" {
		l.refuse("public_url", "is needed with mail: links in mails begin with it, since the Host header of a request can be forged", "mail")
	}
	switch off := c.EmailVerification == "required" && c.MailURL() == Off; {
	case off && !c.Mail.Set():
		l.refuse("public_url", "is needed with email_verification required: links in mails begin with it, and without it mail is off",
			"email_verification")
	case off:
		l.refuse("email_verification", "needs mail, which is off: no new user could ever sign in", "mail")
	}
	if c.HideRegistered && c.EmailVerification != "required" {
		l.refuse("hide_registered", "needs email_verification required: a sign-in would show that the address was free", "email_verification")
	}
	if c.LinkTokens == django && !c.hmac() {
		l.refuse("link_tokens", "needs Django's SECRET_KEY as signing_key; give roster for tokens of this service's own", "signing_algorithm")
	}
	if c.DjoserPath != "" && c.DjoserPath == c.DjRestAuthPath {
		l.refuse("dj_rest_auth_path", "must not be djoser_path", "djoser_path")
	}
}

// toServer reports whether mails of a scheme go to a server, and so to other machines.
func toServer(scheme string) bool { return scheme == "smtp" || scheme == "smtps" }

// mailCautions are the cautions about mail.
func (c *Config) mailCautions() []caution {
	u, _ := url.Parse(c.MailURL())
	plain := u != nil && u.Scheme == "smtp" && u.Query().Get("tls") == Off && !loopback(u.Host)
	on := c.MailURL() != Off
	return []caution{
		{"mail", on && c.MailScheme() == "log" && !loopback(c.Listen),
			"a reader of the log can follow the links in it, such as those to a new password"},
		{"public_url", toServer(c.MailScheme()) && (c.PublicURL == "" || c.PublicURL == FromHost),
			"links in mails lead to " + c.LinkBase() + ", which only this machine reaches"},
		{"mail", plain, "mails, and the password of the mail server, are sent without TLS"},
		{"mail", c.Mail.Set() && c.source["mail"] == FromFlag && u != nil && u.User != nil,
			"a secret on the command line can be read by every user of the machine; use the environment or a file"},
		{"mail_per_hour", on && c.MailPerHour == 0, "one address can get any number of mails"},
		{"link_tokens", on && c.LinkTokens == django,
			"as with Django, a link of one kind is good for the others, such as one to activate an account for a new password"},
		{"password_reset_lifetime", on && c.ResetLifetime > 24*time.Hour,
			fmt.Sprintf("a mailed link sets a password for %s", show(c.ResetLifetime))},
	}
}
