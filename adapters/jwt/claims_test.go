package jwt

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roster/domain/session"
)

// J6, J7, J8: tokens with a valid signature that are refused.
func TestClaimTraps(t *testing.T) {
	table := map[string]string{
		"null": `null`, "list": `[]`, "text": `"x"`, "number": `1`, "nothing": ``, "no JSON": `exp=1800000300`, "cut": minimal[:len(minimal)-1],
		"two objects": minimal + minimal, "comma": minimal + ",", "BOM": "\ufeff" + minimal, "not UTF-8": payload("\"x\":\"\xff\""), "comment": minimal + "//",
		"lone surrogate": payload(`"x":"\ud800"`), "NaN": payload(`"x":NaN`), "control character": payload("\"x\":\"\n\""), "trailing comma": payload(`"x":[1,]`),
		"deep": payload(`"x":` + strings.Repeat("[", 1200) + strings.Repeat("]", 1200)), "a bit deep": payload(`"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16)),
		"deep objects": payload(`"x":` + strings.Repeat(`{"x":`, 16) + `1` + strings.Repeat("}", 16)),

		"exp twice": payload(exp), "exp twice, escaped": payload(`"\u0065xp":1900000000`), "user_id twice": payload(`"user_id":2`), "further claim twice": payload(`"x":1,"x":2`),
		"twice inside": payload(`"x":{"marker":1,"marker":2}`), "twice in a list": payload(`"x":[{"y":1,"y":1}]`),

		"iat in the future": payload(`"iat":1800000001`), "iat null": payload(`"iat":null`), "iat text": payload(`"iat":"1800000000"`), "iat 0": payload(`"iat":0`),
		"iat negative": payload(`"iat":-1`), "iat list": payload(`"iat":[1]`), "iat huge": payload(`"iat":1e400`), "iat object": payload(`"iat":{}`), "iat true": payload(`"iat":true`),
		"nbf in the future": payload(`"nbf":1800000001`), "nbf by a bit": payload(`"nbf":1800000000.001`), "nbf null": payload(`"nbf":null`), "nbf text": payload(`"nbf":"1"`),
		"nbf 0": payload(`"nbf":0`), "nbf list": payload(`"nbf":[]`), "nbf beyond time": payload(`"nbf":253402300800`),

		"jti null": `{"token_type":"access",` + exp + `,"jti":null}`, "jti number": `{"token_type":"access",` + exp + `,"jti":1}`, "jti list": `{` + exp + `,"jti":["x"]}`, "jti object": `{` + exp + `,"jti":{}}`,
		"token_type null": `{"token_type":null,` + exp + `,` + jtiText + `}`, "token_type number": `{"token_type":1,` + exp + `}`, "token_type list": `{"token_type":["access"],` + exp + `}`,
		"token_type true": `{"token_type":true,` + exp + `}`,

		"sid null": payload(`"sid":null`), "sid number": payload(`"sid":1`), "sid empty": payload(`"sid":""`), "sid short": payload(`"sid":"` + sid[1:] + `"`), "sid long": payload(`"sid":"` + sid + `0"`),
		"sid upper case": payload(`"sid":"` + strings.ToUpper(sid) + `"`), "sid no digits": payload(`"sid":"` + sid[1:] + `g"`), "sid list": payload(`"sid":["` + sid + `"]`),
		"gen null": payload(`"gen":null`), "gen text": payload(`"gen":"1"`), "gen negative": payload(`"gen":-1`), "gen fraction": payload(`"gen":1.5`), "gen 1.0": payload(`"gen":1.0`),
		"gen 2^31": payload(`"gen":2147483648`), "gen huge": payload(`"gen":99999999999999999999`), "gen exponent": payload(`"gen":1e1`),
		"refresh, no gen": `{"token_type":"refresh",` + exp + `,` + jtiText + `,"sid":"` + sid + `"}`,
	}
	for _, value := range []string{
		`1800000000`, `1799999999`, `1`, `0`, `-0`, `0.5`, `-1`, `-1800000300`, `1800000000.9`, `253402300800`, `253402300799.5`, `1e12`, `1e300`, `1e400`, `9223372036854775808`,
		`"1800000300"`, `"123"`, `""`, `null`, `true`, `false`, `[]`, `[1800000300]`, `{}`, `{"seconds":1800000300}`, `1e-400`,
	} {
		table["exp "+value] = `{"token_type":"access","exp":` + value + `,` + jtiText + `,"user_id":1}`
	}
	for _, name := range reserved {
		for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], strings.Replace(name, "s", "ſ", 1)} {
			if other != name {
				table["name "+other] = payload(`"` + other + `":1900000000`)
			}
		}
	}
	for name, text := range table {
		t.Run(name, func(t *testing.T) {
			refused(t, withSecret(t, Options{}), hs(hsHead, text))
			if strings.HasPrefix(name, "sid ") || strings.HasPrefix(name, "gen ") || name == "refresh, no gen" {
				return // SimpleJWT's shape has no sid: TestSimpleJWTShapeKnowsNoSID
			}
			refused(t, withSecret(t, Options{Shape: ShapeSimpleJWT, InferSession: true, AllowMissingIssuer: true}), hs(hsHead, text))
		})
	}
}

func TestAccepted(t *testing.T) {
	at := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	foreign := session.ID("a28e0ebdf66303323f60acbe")
	base := session.Claims{Type: session.Access, ID: "35484ab529d442fdb7e3ba06eb2aee4e", User: "1", HasUser: true, ExpiresAt: at(1800000300), SessionlessID: foreign}
	with := func(change func(*session.Claims)) session.Claims {
		c := base
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		payload string
		want    session.Claims
	}{
		"minimal":      {minimal, base},
		"blanks":       {" {\n" + minimal[1:] + "\t\r\n", base},
		"iat now":      {payload(`"iat":1800000000`), with(func(c *session.Claims) { c.IssuedAt = now })},
		"iat fraction": {payload(`"iat":1700000000.75`), with(func(c *session.Claims) { c.IssuedAt = at(1700000000) })},
		"nbf now":      {payload(`"nbf":1800000000`), with(func(c *session.Claims) { c.Extra = []byte(`{"nbf":1800000000}`) })},
		"exp fraction": {strings.Replace(minimal, "1800000300", "1800000300.99", 1), base},
		"exp exponent": {strings.Replace(minimal, "1800000300", "18.000003e8", 1), base},
		"exp last":     {strings.Replace(minimal, "1800000300", "253402300799", 1), with(func(c *session.Claims) { c.ExpiresAt = at(253402300799) })},
		"no exp":       {`{"token_type":"access",` + jtiText + `,"user_id":1}`, with(func(c *session.Claims) { c.ExpiresAt = time.Time{} })},
		"no jti":       {`{"token_type":"access",` + exp + `,"user_id":1}`, with(func(c *session.Claims) { c.ID, c.SessionlessID = "", "" })},
		"empty jti":    {`{"token_type":"access",` + exp + `,"user_id":1,"jti":""}`, with(func(c *session.Claims) { c.ID, c.SessionlessID = "", "" })},
		"no type":      {`{` + exp + `,` + jtiText + `,"user_id":1}`, with(func(c *session.Claims) { c.Type = "" })},
		"other type":   {strings.Replace(minimal, "access", "sliding", 1), with(func(c *session.Claims) { c.Type = "sliding" })},
		"nothing":      {`{}`, session.Claims{}},
		"further claims": {payload(`"role":"admin", "tenant": {"id": 7},"n":1e400,"ümlaut":["\u00fc"],"x":null`), with(func(c *session.Claims) {
			c.Extra = []byte(`{"role":"admin","tenant":{"id": 7},"n":1e400,"ümlaut":["\u00fc"],"x":null}`)
		})},
		"deep enough": {payload(`"x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15)), with(func(c *session.Claims) {
			c.Extra = []byte(`{"x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `}`)
		})},
		"foreign iss and aud": {payload(`"iss":7,"aud":["x",1]`), with(func(c *session.Claims) { c.Extra = []byte(`{"iss":7}`) })},
		"sid":                 {payload(`"sid":"` + sid + `"`), with(func(c *session.Claims) { c.Session, c.SessionlessID = sid, "" })},
		"sid and gen, access": {payload(`"sid":"` + sid + `","gen":7`), with(func(c *session.Claims) { c.Session, c.SessionlessID = sid, "" })},
		"sid and gen, refresh": {strings.Replace(payload(`"gen":2147483647,"sid":"`+sid+`"`), "access", "refresh", 1), with(func(c *session.Claims) {
			c.Type, c.Session, c.Generation, c.SessionlessID = session.Refresh, sid, 1<<31-1, ""
		})},
		"gen alone": {payload(`"gen":7`), base},
	} {
		got, err := parse(t, withSecret(t, Options{}), hs(hsHead, c.payload))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// An application with SimpleJWT may have added claims sid or gen of its own.
func TestSimpleJWTShapeKnowsNoSID(t *testing.T) {
	tokens := withSecret(t, Options{Shape: ShapeSimpleJWT, InferSession: true})
	for _, own := range []string{`"sid":"abc"`, `"sid":7`, `"sid":null,"gen":"f"`, `"sid":"` + sid + `","gen":3`} {
		got, err := parse(t, tokens, hs(hsHead, payload(own)))
		if err != nil || string(got.Extra) != `{`+own+`}` || got.SessionlessID == "" {
			t.Errorf("%s: %+v, %v", own, got, err)
		}
	}
}

func TestUserIDs(t *testing.T) {
	for value, want := range map[string]string{
		`1`: "1", `"1"`: "1", `9223372036854775807`: "9223372036854775807", `-5`: "-5", `0`: "0", `"x y\u0000"`: "x y\x00",
		`"0197b5a0-0000-7000-8000-000000000000"`: "0197b5a0-0000-7000-8000-000000000000",
		`""`:                                     "", `null`: "", `true`: "", `[1]`: "", `{"id":1}`: "", `1.5`: "", `1.0`: "", `1e0`: "", `9223372036854775808`: "", `1e400`: "",
	} {
		got, err := parse(t, withSecret(t, Options{}), hs(hsHead, strings.Replace(minimal, `"user_id":1`, `"user_id":`+value, 1)))
		if err != nil || got.User != want || !got.HasUser {
			t.Errorf("%s: %q, %t, %v", value, got.User, got.HasUser, err)
		}
	}
	if got, err := parse(t, withSecret(t, Options{}), hs(hsHead, `{`+exp+`}`)); err != nil || got.User != "" || got.HasUser {
		t.Errorf("absent: %q, %t, %v", got.User, got.HasUser, err)
	}
}

func TestInferredSessions(t *testing.T) {
	for _, c := range []struct {
		kind, jti  string
		session    session.ID
		generation int
		isRoster   bool // no other issuer issues such a refresh token
	}{
		{"refresh", sid + "00000000", sid, 0, true},
		{"refresh", sid + "0000002a", sid, 42, true},
		{"refresh", sid + "7fffffff", sid, 1<<31 - 1, false},
		{"refresh", sid + "80000000", "", 0, false},
		{"access", sid + "80000000", sid, 0, false},
		{"access", sid + "ffffffff", sid, 0, false},
		{"access", sid + "7fffffff", "", 0, false},
		{"sliding", sid + "7fffffff", "", 0, false},
		{"sliding", sid + "80000000", "", 0, false},
		{"refresh", strings.ToUpper(sid) + "00000000", "", 0, false},
		{"refresh", sid + "0000000", "", 0, false},
		{"refresh", sid + "000000000", "", 0, false},
		{"refresh", sid + "0000000g", "", 0, false},
		{"refresh", "+" + sid[1:] + "00000000", "", 0, false},
		{"refresh", sid + "0000ffff", sid, 65535, true},
		{"refresh", sid + "00010000", sid, 65536, false},
		{"refresh", "9f1ed002ab5545958014ebf000000001", "9f1ed002ab5545958014ebf0", 1, false}, // a UUID of version 4
		{"refresh", "9f1ed002ab5545957014ebf000000001", "9f1ed002ab5545957014ebf0", 1, true},
	} {
		token := hs(hsHead, `{"token_type":"`+c.kind+`",`+exp+`,"jti":"`+c.jti+`"}`)
		got, err := parse(t, withSecret(t, Options{InferSession: true}), token)
		if err != nil || got.Session != c.session || got.Generation != c.generation || (got.SessionlessID == "") != c.isRoster || got.ID != c.jti {
			t.Errorf("%s %s: %q, %d, %q, %v", c.kind, c.jti, got.Session, got.Generation, got.SessionlessID, err)
		}
		if got, err := parse(t, withSecret(t, Options{}), token); err != nil || got.Session != "" || got.Generation != 0 {
			t.Errorf("%s %s, not inferred: %q, %d, %v", c.kind, c.jti, got.Session, got.Generation, err)
		}
	}
	// A sid takes precedence over the jti.
	token := hs(hsHead, `{"token_type":"refresh",`+exp+`,"jti":"`+strings.Repeat("0", 31)+`9","sid":"`+sid+`","gen":3}`)
	got, err := parse(t, withSecret(t, Options{InferSession: true}), token)
	if err != nil || got.Session != sid || got.Generation != 3 || got.SessionlessID != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// J9: with configured iss and aud, a token without them or with others is refused.
func TestIssuerAndAudience(t *testing.T) {
	o := Options{Issuer: "https://roster.example", Audience: "api"}
	for members, want := range map[string]bool{
		`"iss":"https://roster.example","aud":"api"`:           true,
		`"iss":"https://roster.example","aud":["api"]`:         true,
		`"iss":"https://roster.example","aud":["other","api"]`: true,
		`"iss":"https://roster.example","aud":["other"]`:       false,
		`"iss":"https://roster.example","aud":"other"`:         false,
		`"iss":"https://roster.example","aud":""`:              false,
		`"iss":"https://roster.example","aud":[]`:              false,
		`"iss":"https://roster.example","aud":[""]`:            false,
		`"iss":"https://roster.example","aud":["api",1]`:       false,
		`"iss":"https://roster.example","aud":[["api"]]`:       false,
		`"iss":"https://roster.example","aud":{"api":1}`:       false,
		`"iss":"https://roster.example","aud":null`:            false,
		`"iss":"https://roster.example","aud":"API"`:           false,
		`"iss":"https://roster.example"`:                       false,
		`"aud":"api"`:                                          false,
		`"iss":"https://roster.example/","aud":"api"`:          false,
		`"iss":"","aud":"api"`:                                 false,
		`"iss":null,"aud":"api"`:                               false,
		`"iss":["https://roster.example"],"aud":"api"`:         false,
		`"iss":"https://evil.example","aud":"api"`:             false,
		`"x":1`: false,
	} {
		token := hs(hsHead, payload(members))
		if want {
			got, err := parse(t, withSecret(t, o), token)
			if err != nil || got.Extra != nil {
				t.Errorf("%s: %s, %v", members, got.Extra, err)
			}
		} else {
			refused(t, withSecret(t, o), token)
		}
		lax := o
		lax.AllowMissingIssuer = true
		if misses := !strings.Contains(members, "iss") || !strings.Contains(members, "aud"); want || misses {
			if got, err := parse(t, withSecret(t, lax), token); err != nil || strings.Contains(string(got.Extra), "iss") {
				t.Errorf("%s, allowed to miss: %s, %v", members, got.Extra, err)
			}
		} else {
			refused(t, withSecret(t, lax), token)
		}
	}
	refused(t, withSecret(t, Options{Issuer: "https://roster.example"}), hs(hsHead, minimal))
	refused(t, withSecret(t, Options{Audience: "api"}), hs(hsHead, minimal))
}
