package session

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"roster/domain/user"
)

// digestDigits is the length of the digest of a secret.
const digestDigits = 2 * sha256.Size

// StartBrowser is Start for a browser session: one without tokens, whose cookie holds a secret. It ends
// r.BrowserLifetime after now. secret must have at least 128 random bits, so that its digest, which is all that is
// stored, reveals nothing. The digest covers whether owner is staff: the cookie is not valid while that differs, and
// the user gets a new one by signing in again (ASVS 7.2.4).
func StartBrowser(id ID, owner *user.User, secret string, now time.Time, r Rules, c Client) *Session {
	s := Start(id, owner.ID(), owner.SessionEpoch(), now, r, c)
	s.s.Browser = browserDigest(owner, secret)
	s.s.Expires = s.within(now.Add(r.BrowserLifetime), r)
	return s
}

// AcceptsBrowser reports whether secret is that of this browser session of owner, and the session is live at now.
func (s *Session) AcceptsBrowser(owner *user.User, secret string, now time.Time, r Rules) bool {
	return s.s.Browser != "" && s.s.Browser == browserDigest(owner, secret) && s.Live(owner, now, r)
}

// SignedIn returns when the password of a browser session was given, the zero time for a session of tokens.
func (s *Session) SignedIn() time.Time {
	if s.s.Browser == "" {
		return time.Time{}
	}
	return s.s.Created
}

// browserDigest returns what is stored of a secret.
func browserDigest(owner *user.User, secret string) string {
	rights := "user:"
	if owner.Staff() {
		rights = "staff:"
	}
	sum := sha256.Sum256([]byte(rights + secret))
	return hex.EncodeToString(sum[:])
}

// Cookie is what the cookie of a browser session holds.
type Cookie struct {
	Owner  user.ID
	ID     ID
	Secret string
}

// Value returns the value of the cookie.
func (c Cookie) Value() string {
	return strings.Join([]string{string(c.Owner), string(c.ID), c.Secret}, ".")
}

// ParseCookie parses a result of Value. It fails with ErrTokenInvalid for any other text.
func ParseCookie(value string) (Cookie, error) {
	owner, rest, _ := strings.Cut(value, ".")
	id, secret, _ := strings.Cut(rest, ".")
	parsed, err := user.ParseID(owner)
	if err != nil || len(id) != idDigits || strings.Trim(id, "0123456789abcdef") != "" || secret == "" {
		return Cookie{}, ErrTokenInvalid
	}
	return Cookie{parsed, ID(id), secret}, nil
}
