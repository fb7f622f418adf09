package django

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math"
	"strings"
	"time"
)

// tolerance bounds the difference between a token's expiry and the expected one, in seconds.
const tolerance = 30

var digests = map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}

// mint makes the token that a step describes, valid or not.
func (e vars) mint(s Step) (string, error) {
	header, err := e.part(s.Header)
	if err != nil {
		return "", err
	}
	claims, err := e.part(s.Claims)
	if err != nil {
		return "", err
	}
	head := header + "." + claims
	if s.Sign == "none" {
		return head + ".", nil
	}
	digest, ok := digests[s.Sign]
	if !ok {
		return "", differ("unknown algorithm %q", s.Sign)
	}
	key, err := e.subst(s.Key)
	if err != nil {
		return "", err
	}
	mac := hmac.New(digest, []byte(key))
	mac.Write([]byte(head))
	return head + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// part encodes the header or the claims of a token; the members of an object are evaluated.
func (e vars) part(v any) (string, error) {
	if object, ok := v.(map[string]any); ok {
		out := make(map[string]any, len(object))
		for name, member := range object {
			value, err := e.value(member)
			if err != nil {
				return "", err
			}
			out[name] = value
		}
		v = out
	}
	raw, err := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(raw), err
}

// value evaluates one claim: {"$now": S}, {"$uuid": "hex"}, {"$text": T}, a variable, or itself.
func (e vars) value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if name, ok := alone(v); ok {
			if value, ok := e[name]; ok {
				return value, nil
			}
		}
		return e.subst(v)
	case map[string]any:
		op, arg, ok := operator(v)
		if !ok {
			return v, nil
		}
		switch op {
		case "$now":
			if n, ok := number(arg); ok {
				return time.Now().Unix() + int64(n), nil
			}
		case "$uuid":
			var id [16]byte
			_, _ = rand.Read(id[:])
			return hex.EncodeToString(id[:]), nil
		case "$text":
			if text, ok := arg.(string); ok {
				return e.subst(text)
			}
		}
	}
	return v, nil
}

// tamper changes the first character of one part of a token.
func (e vars) tamper(s Step) (string, error) {
	parts, err := e.split(s.Token)
	if err != nil {
		return "", err
	}
	if s.Part >= len(parts) || parts[s.Part] == "" {
		return "", differ("the token has no part %d", s.Part)
	}
	first := "A"
	if parts[s.Part][0] == 'A' {
		first = "B"
	}
	parts[s.Part] = first + parts[s.Part][1:]
	return strings.Join(parts, "."), nil
}

// splice makes a token from the parts of others: header, payload, signature.
func (e vars) splice(s Step) (string, error) {
	var out []string
	for i, token := range s.Parts {
		parts, err := e.split(token)
		if err != nil {
			return "", err
		}
		if i >= len(parts) {
			return "", differ("the token has no part %d", i)
		}
		out = append(out, parts[i])
	}
	return strings.Join(out, "."), nil
}

func (e vars) split(token string) ([]string, error) {
	token, err := e.subst(token)
	return strings.Split(token, "."), err
}

// inspect decodes a token without verifying it and compares its parts.
func (e vars) inspect(s Step) error {
	parts, err := e.split(s.Token)
	if err != nil {
		return err
	}
	var decoded [2]any
	for i := range decoded {
		if i >= len(parts) {
			return differ("token does not decode: it has %d parts", len(parts))
		}
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "="))
		if err == nil {
			err = decode(raw, &decoded[i])
		}
		if err != nil {
			return differ("token does not decode: %v", err)
		}
	}
	header, claims := decoded[0], decoded[1]
	if s.Header != nil {
		if err := e.match(s.Header, header, s.ExtraFields, "jwt header"); err != nil {
			return err
		}
	}
	if s.Claims != nil {
		if err := e.match(s.Claims, claims, s.ExtraFields, "jwt claims"); err != nil {
			return err
		}
	}
	if s.ExpiresIn != nil {
		if err := expiresIn(claims, *s.ExpiresIn); err != nil {
			return err
		}
	}
	return e.capture(claims, s.Capture)
}

// expiresIn checks that the claims expire so many seconds from now.
func expiresIn(claims any, seconds int64) error {
	value, err := pointer(claims, "/exp")
	if err != nil {
		return err
	}
	exp, ok := number(value)
	if !ok {
		return differ("jwt exp: no number: %s", shown(value))
	}
	left := exp - float64(time.Now().UnixMilli())/1000
	if math.Abs(left-float64(seconds)) > tolerance {
		return differ("jwt exp: expected now + %d s, got now + %.0f s", seconds, left)
	}
	return nil
}
