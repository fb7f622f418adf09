package linktoken

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Django before 4.0 takes such tokens
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"time"

	"roster/domain/link"
	"roster/ports/outbound"
)

// Django makes and checks the tokens of Django's PasswordResetTokenGenerator (django.contrib.auth.tokens) for activation and
// password reset, so that links that Django mailed are good here, and those of Roster are good there. Such a token is not
// bound to its purpose: each opens both. Therefore a token that is mailed to an address before it is proven (EmailChange), or
// to an address that was replaced (EmailUndo), is never one of Django's: it would reset the password. These purposes, and
// Invitation, which Django does not have, use Native.
type Django struct {
	native *Native
	macs   []func(message string) []byte // of each secret, the first one makes tokens
}

var _ outbound.LinkTokens = (*Django)(nil)

// NewDjango returns Django's tokens for a SECRET_KEY. The fallbacks check too, as Django's SECRET_KEY_FALLBACKS.
func NewDjango(native *Native, secret string, fallbacks ...string) *Django {
	d := &Django{native: native}
	for _, s := range append([]string{secret}, fallbacks...) {
		d.macs = append(d.macs, salted(sha256.New, s))
	}
	for _, s := range append([]string{secret}, fallbacks...) {
		d.macs = append(d.macs, salted(sha1.New, s)) // checks only
	}
	return d
}

// salted is django.utils.crypto.salted_hmac with the salt of PasswordResetTokenGenerator.
func salted(digest func() hash.Hash, secret string) func(message string) []byte {
	h := digest()
	h.Write([]byte("django.contrib.auth.tokens.PasswordResetTokenGenerator" + secret))
	key := h.Sum(nil)
	return func(message string) []byte {
		mac := hmac.New(digest, key)
		mac.Write([]byte(message))
		return mac.Sum(nil)
	}
}

func djangos(p link.Purpose) bool { return p == link.Activation || p == link.PasswordReset }

// epoch is the time that Django counts from. Django counts in the site's time zone. A token of a site east of Greenwich is
// ahead of its time here, which Django and Check accept.
var epoch = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// Make implements outbound.LinkTokens.
func (d *Django) Make(s link.State, now time.Time) (string, error) {
	if !djangos(s.Purpose) {
		return d.native.Make(s, now)
	}
	if now.Unix() < epoch {
		return "", fmt.Errorf("make a token: the time is before 2001: %v", now)
	}
	return django(d.macs[0], s, now.Unix()-epoch), nil
}

// Check implements outbound.LinkTokens. It accepts times ahead of now, as Django does.
func (d *Django) Check(s link.State, token string, lifetime time.Duration, now time.Time) error {
	if !djangos(s.Purpose) {
		return d.native.Check(s, token, lifetime, now)
	}
	made, ok := seconds(token)
	if !ok {
		return link.ErrBadToken
	}
	good := false
	for _, mac := range d.macs {
		good = equal(django(mac, s, made), token) || good
	}
	if !good || now.Unix()-epoch-made > wholeSeconds(lifetime) {
		return link.ErrBadToken
	}
	return nil
}

func django(mac func(string) []byte, s link.State, made int64) string {
	last := ""
	if !s.LastLogin.IsZero() {
		last = s.LastLogin.UTC().Format(time.DateTime)
	}
	digits := hex.EncodeToString(mac(string(s.User) + s.Password + last + strconv.FormatInt(made, 10) + s.Email))
	token := []byte(strconv.FormatInt(made, 36) + "-")
	for i := 0; i < len(digits); i += 2 {
		token = append(token, digits[i])
	}
	return string(token)
}

// equal compares in constant time.
func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
