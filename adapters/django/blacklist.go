package django

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/user"
	"roster/ports/outbound"
)

// The models of rest_framework_simplejwt.token_blacklist.
const (
	outstandingModel = "token_blacklist.outstandingtoken"
	blacklistedModel = "token_blacklist.blacklistedtoken"
)

var errToken = errors.New("cannot be read")

// outstanding is a refresh token that SimpleJWT keeps a note of.
type outstanding struct {
	User    jsontext.Value `json:"user"`
	JTI     string         `json:"jti"`
	Token   string         `json:"token"`
	Created string         `json:"created_at"` // "" for unknown
	Expires string         `json:"expires_at"`

	created, expires time.Time
}

func readOutstanding(x object) (t outstanding, err error) {
	if err := json.Unmarshal(x.Fields, &t, lenient); err != nil {
		return t, errToken
	}
	return t, t.times()
}

func (t *outstanding) times() (err error) {
	if t.expires, err = parseTime(t.Expires); err != nil || t.JTI == "" {
		return errToken
	}
	if t.created, err = parseTime(t.Created); err != nil {
		t.created = time.Time{}
	}
	return nil
}

// owner returns whose token it is. SimpleJWT leaves the user out when it blacklists a token that it
// had no note of; then the token itself tells. It is not verified, being out of Django's own database.
func (t outstanding) owner() user.ID {
	if id, _ := idOf(t.User); id != "" {
		return id
	}
	parts := strings.Split(t.Token, ".")
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

func (t outstanding) revoked(place string, at time.Time) outbound.RevokedToken {
	return outbound.RevokedToken{Location: place, ID: t.JTI, User: t.owner(), Issued: t.created, Expires: t.expires, RevokedAt: at}
}

type blacklisted struct {
	token []byte // key of the outstanding token, as JSON
	at    time.Time
}

func readBlacklisted(x object) (blacklisted, error) {
	var b struct {
		Token jsontext.Value `json:"token"`
		At    string         `json:"blacklisted_at"`
	}
	if err := json.Unmarshal(x.Fields, &b, lenient); err != nil || len(b.Token) == 0 {
		return blacklisted{}, errToken
	}
	at, err := parseTime(b.At)
	if err != nil {
		return blacklisted{}, errToken
	}
	return blacklisted{b.Token, at}, nil
}
