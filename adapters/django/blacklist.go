package django

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/user"
	"roster/ports/outbound"
)

// The models of rest_framework_simplejwt.token_blacklist: a refresh token that was issued, and a revocation of one.
const (
	outstandingModel = "token_blacklist.outstandingtoken"
	blacklistedModel = "token_blacklist.blacklistedtoken"
)

// revokedToken returns the outstanding token of a row that was revoked at a time. Without an id, the row cannot be read.
// SimpleJWT stores times without an offset in UTC.
func (r row) revokedToken(place string, at time.Time) outbound.RevokedToken {
	expires, err := parseTime(r.text("expires_at"), time.UTC)
	if err != nil || r.text("jti") == "" {
		return outbound.RevokedToken{Location: place}
	}
	issued, _ := parseTime(r.text("created_at"), time.UTC) // may be unknown
	return outbound.RevokedToken{Location: place, ID: r.text("jti"), User: r.tokenUser(), Issued: issued, Expires: expires, RevokedAt: at}
}

// revocation returns the time of a revocation.
func (r row) revocation() (time.Time, error) { return parseTime(r.text("blacklisted_at"), time.UTC) }

// tokenUser returns the user of an outstanding token. SimpleJWT stores no user when it revokes a token that it did not
// record before; then the claims of the token name the user. Its signature is not verified, since the token is from
// Django's own database.
func (r row) tokenUser() user.ID {
	if id, _ := idOf(r["user"]); id != "" {
		return id
	}
	parts := strings.Split(r.text("token"), ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		User jsontext.Value `json:"user_id"`
	}
	if err != nil || json.Unmarshal(payload, &claims, lenient) != nil {
		return ""
	}
	id, _ := idOf(claims.User)
	return id
}
