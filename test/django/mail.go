package django

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // a token that Django made before 3.1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"roster/test/support/smtpserver"
)

// mailPatience is for a mail that never comes, which fails the case.
const mailPatience = 15 * time.Second

// mail waits for the next mail to an address, compares it and keeps parts of it.
func (s Server) mail(step Step, env vars) error {
	to, err := env.mailbox(step.To)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), mailPatience)
	defer cancel()
	m := s.Mails.Take(ctx, to)
	if m == nil {
		return differ("no mail came to %s", to)
	}
	got := map[string]string{"from": m.From, "subject": m.Subject, "text": m.Text}
	if step.Link != "" {
		if err := env.link(step.Link, m, got); err != nil {
			return err
		}
	}
	for name, part := range step.Capture {
		env[name] = got[part]
	}
	for part, want := range map[string]string{"from": step.From, "subject": step.Subject, "text": step.Text} {
		want, err := env.subst(want)
		if err != nil {
			return err
		}
		want = html.UnescapeString(want) // djoser escapes the text of a mail too
		if want != "" && want != got[part] {
			return differ("%s of the mail: expected %q, got %q", part, want, got[part])
		}
	}
	return nil
}

// Quiet repeats the steps no_mail at the end of a case that was replayed. Call it when the mails that were under way have
// arrived. An earlier step needs it not: the mail that it is about would come before that of a later step.
func (s Server) Quiet(c Case) error {
	for _, step := range slices.Backward(c.Steps) {
		if step.Do != "no_mail" {
			return nil
		}
		if err := s.noMail(step, vars{}); err != nil {
			return fmt.Errorf("%s\n in the end: %w", c.Title, err)
		}
	}
	return nil
}

func (s Server) noMail(step Step, env vars) error {
	to, err := env.mailbox(step.To)
	if err != nil {
		return err
	}
	for _, m := range s.Mails.Mails() {
		for _, r := range m.Recipients {
			if strings.EqualFold(r, to) {
				return differ("a mail came to %s: %s", to, m.Subject)
			}
		}
	}
	return nil
}

// mailbox returns an address with its domain in ASCII.
func (e vars) mailbox(text string) (string, error) {
	address, err := e.subst(text)
	if err != nil {
		return "", err
	}
	at := strings.LastIndexByte(address, '@')
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	return address[:at+1] + domain, err
}

// link finds a link in both parts of a mail, and puts its values into got.
func (e vars) link(form string, m *smtpserver.Mail, got map[string]string) error {
	form, err := e.subst(form)
	if err != nil {
		return err
	}
	pattern := strings.NewReplacer(`\{uid\}`, `([A-Za-z0-9_-]+?)`, `\{token\}`, `([A-Za-z0-9_-]+)`).Replace(regexp.QuoteMeta(form))
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	found := expression.FindStringSubmatch(m.Text)
	if len(found) != 3 {
		return differ("no link like %s in the mail:\n%s", form, m.Text)
	}
	if !strings.Contains(strings.ReplaceAll(m.HTML, "&amp;", "&"), found[0]) {
		return differ("the HTML of the mail has another link than its text, which has %s", found[0])
	}
	got["uid"], got["token"] = found[1], found[2]
	return nil
}

// djangoToken makes the uid and token of a link as Django does, of values that the case gives.
func (e vars) djangoToken(step Step) error {
	texts := map[string]string{}
	for name, text := range map[string]string{"pk": step.PK, "email": step.Email, "key": step.Key} {
		var err error
		if texts[name], err = e.subst(text); err != nil {
			return err
		}
	}
	var digest func() hash.Hash
	switch step.Digest {
	case "", "sha256":
		digest = sha256.New
	case "sha1":
		digest = sha1.New
	default:
		return differ("unknown digest %q", step.Digest)
	}
	seconds := time.Now().Unix() - step.Age - time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	key := digest()
	_, _ = fmt.Fprint(key, "django.contrib.auth.tokens.PasswordResetTokenGenerator", texts["key"])
	mac := hmac.New(digest, key.Sum(nil))
	_, _ = fmt.Fprintf(mac, "%s%s%s%d%s", texts["pk"], step.Password, step.LastLogin, seconds, texts["email"])
	var half strings.Builder
	for i, digit := range hex.EncodeToString(mac.Sum(nil)) {
		if i%2 == 0 {
			half.WriteRune(digit)
		}
	}
	e[step.Into+"_uid"] = uid(texts["pk"])
	e[step.Into+"_token"] = strconv.FormatInt(seconds, 36) + "-" + half.String()
	return nil
}

// uid returns the id of a user as in a link of Django.
func uid(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

// alter returns text with another character at an index, which counts from the end if negative.
func alter(text string, i int) (string, error) {
	if i < 0 {
		i += len(text)
	}
	if i < 0 || i >= len(text) {
		return "", differ("%q has no character %d", text, i)
	}
	other := byte('0')
	if text[i] == '0' {
		other = '1'
	}
	return text[:i] + string(other) + text[i+1:], nil
}
