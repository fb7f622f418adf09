package e2e

import (
	"encoding/json"
	"testing"

	"roster/test/support/process"
)

// A token has the claims of SimpleJWT, and its session.
func TestTokens(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	again := signIn(s, t, ann)
	seen := map[any]bool{}
	for _, token := range []string{k.access, k.refresh, again.access, again.refresh} {
		c := claims(t, token)
		if seen[c["jti"]] {
			t.Errorf("the token id %v comes twice", c["jti"])
		}
		seen[c["jti"]] = true
		same(t, "user_id", c["user_id"], any(ann.id))
		if _, tells := c["email"]; tells {
			t.Error("a token has the address")
		}
	}
	access, refreshed := claims(t, k.access), claims(t, k.refresh)
	same(t, "type of the access token", access["token_type"], any("access"))
	same(t, "type of the refresh token", refreshed["token_type"], any("refresh"))
	same(t, "life of the access token", access["exp"].(float64)-access["iat"].(float64), 300.0)
	same(t, "life of the refresh token", refreshed["exp"].(float64)-refreshed["iat"].(float64), 86400.0)
	same(t, "session of both", access["sid"], refreshed["sid"])
	if other := claims(t, again.refresh)["sid"]; other == refreshed["sid"] {
		t.Error("two sign-ins share a session")
	}
}

// The published key verifies access tokens, and has no private part.
func TestPublishedKeyVerifiesTokens(t *testing.T) {
	s := process.Start(t, nil)
	_, k := arrive(s, t, "ann@example.com")
	head := decoded(t, k.access, 0)
	same(t, "alg", head["alg"], any("ES256"))
	a := call(s, t, "GET", "/.well-known/jwks.json").want(200)
	var set struct{ Keys []object }
	if err := json.Unmarshal(a.raw, &set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("no key set: %v: %s", err, a.raw)
	}
	for _, key := range set.Keys {
		if _, private := key["d"]; private {
			t.Fatal("the published key has its private half")
		}
		if key["kid"] != head["kid"] {
			continue
		}
		same(t, "kty", key["kty"], any("EC"))
		same(t, "crv", key["crv"], any("P-256"))
		if !signedBy(t, k.access, key) {
			t.Error("the published key does not verify the token")
		}
		if signedBy(t, k.access[:len(k.access)-10]+"AAAAAAAAAA", key) {
			t.Error("the check verifies anything")
		}
		return
	}
	t.Errorf("no published key has the kid %v: %s", head["kid"], a.raw)
}

// A refresh gives a new pair in the same session. For a short time the old refresh token gives the same successor
// again, so that a lost answer does not end the session.
func TestRefresh(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	session := claims(t, k.refresh)["sid"]
	pair := func(a answer) tokens {
		t.Helper()
		a.want(200)
		same(t, "members of the answer", len(a.json()), 2)
		p := tokens{a.text("access"), a.text("refresh")}
		same(t, "session of the access token", claims(t, p.access)["sid"], session)
		same(t, "session of the refresh token", claims(t, p.refresh)["sid"], session)
		return p
	}
	generation := func(p tokens) any { return claims(t, p.refresh)["gen"] }

	second := pair(refresh(s, t, k.refresh))
	wantAlive(s, t, ann, second)
	lost := pair(refresh(s, t, k.refresh)) // as if the answer above had been lost
	same(t, "refresh token after a lost answer", lost.refresh, second.refresh)
	wantAlive(s, t, ann, lost)
	third := pair(refresh(s, t, lost.refresh))
	if generation(third) == generation(second) {
		t.Error("the generation stays")
	}
	same(t, "refresh token after another lost answer", pair(refresh(s, t, second.refresh)).refresh, third.refresh)
	call(s, t, "GET", ann.path(), bearer(k.access)).want(200)

	// The first token is not the last used one: its reuse means that a token was stolen.
	refresh(s, t, k.refresh).is(401, object{"detail": "Token is blacklisted", "code": "token_not_valid"})
	wantDead(s, t, ann, third)
	wantAlive(s, t, ann, signIn(s, t, ann))
}

// Without grace, the reuse of a refresh token ends its session, and no other.
func TestReuseEndsTheSession(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_REUSE_GRACE": "0s"})
	ann, k := arrive(s, t, "ann@example.com")
	elsewhere := signIn(s, t, ann)
	a := refresh(s, t, k.refresh).want(200)
	second := tokens{a.text("access"), a.text("refresh")}
	wantAlive(s, t, ann, second)
	refresh(s, t, k.refresh).is(401, object{"detail": "Token is blacklisted", "code": "token_not_valid"})
	wantDead(s, t, ann, second)
	wantDead(s, t, ann, k)
	wantAlive(s, t, ann, elsewhere)
}

// Verification accepts exactly the tokens that would be accepted now, of either type.
func TestVerify(t *testing.T) {
	s := process.Start(t, nil)
	_, k := arrive(s, t, "ann@example.com")
	verify(s, t, k.access).is(200, object{})
	verify(s, t, k.refresh).is(200, object{})
	for name, bad := range map[string]string{
		"rubbish": "rubbish", "cut": k.access[:len(k.access)-2], "unsigned": k.access[:len(k.access)-86],
		"another signature": k.access[:len(k.access)-86] + k.refresh[len(k.refresh)-86:],
	} {
		t.Run(name, func(t *testing.T) {
			verify(s, t, bad).is(401, object{"detail": "Token is invalid or expired", "code": "token_not_valid"})
		})
	}
}

// Signing out ends the session at once, with both its tokens, and no other session.
func TestSignOut(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	elsewhere := signIn(s, t, ann)
	signOut(s, t, k.refresh).is(200, object{})
	wantDead(s, t, ann, k)
	signOut(s, t, k.refresh).is(401, object{"detail": "Token is blacklisted", "code": "token_not_valid"})
	refresh(s, t, k.refresh).is(401, object{"detail": "Token is blacklisted", "code": "token_not_valid"})
	wantAlive(s, t, ann, elsewhere)

	// Signing out with the predecessor, which a client has whose last refresh was lost, ends it too.
	a := refresh(s, t, elsewhere.refresh).want(200)
	successor := tokens{a.text("access"), a.text("refresh")}
	signOut(s, t, elsewhere.refresh).is(200, object{})
	wantDead(s, t, ann, successor)
}

// A token is accepted for its own purpose only.
func TestTokenTypesAreNotInterchangeable(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	wrong := object{"detail": "Token has wrong type", "code": "token_not_valid"}
	refresh(s, t, k.access).is(401, wrong)
	signOut(s, t, k.access).is(401, wrong)
	call(s, t, "GET", ann.path(), bearer(k.refresh)).is(401, object{
		"detail": "Given token not valid for any token type", "code": "token_not_valid",
		"messages": []object{{"token_class": "AccessToken", "token_type": "access", "message": "Token has wrong type"}},
	})
}

// A change of the password ends every session of the user at once, the present one too.
func TestPasswordChangeEndsAllSessions(t *testing.T) {
	const next = "Another-horse-8-battery"
	for name, change := range map[string]func(*process.Server, *testing.T, person, tokens){
		"PATCH": func(s *process.Server, t *testing.T, p person, k tokens) {
			call(s, t, "PATCH", p.path(), bearer(k.access), body(object{"password": next})).want(200)
		},
		"PUT": func(s *process.Server, t *testing.T, p person, k tokens) {
			whole := registration(p.email)
			whole["password"] = next
			call(s, t, "PUT", p.path(), bearer(k.access), body(whole)).want(200)
		},
		"command line": func(s *process.Server, t *testing.T, p person, _ tokens) {
			if _, stderr, code := s.CLIWithInput(next+"\n", "user", "set-password", p.email, "--password-file", "-"); code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := process.Start(t, nil)
			ann, k := arrive(s, t, "ann@example.com")
			elsewhere := signIn(s, t, ann)
			bob, other := arrive(s, t, "bob@example.com")
			change(s, t, ann, k)
			wantDead(s, t, ann, k)
			wantDead(s, t, ann, elsewhere)
			wantAlive(s, t, bob, other)
			tryToSignIn(s, t, ann.email, password).want(401)
			a := tryToSignIn(s, t, ann.email, next).want(200)
			wantAlive(s, t, ann, tokens{a.text("access"), a.text("refresh")})
		})
	}
}

// A deactivated user is refused at once. The old tokens stay refused after a reactivation.
func TestDeactivationEndsAllSessions(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	s.MustCLI("user", "set", ann.email, "--active=false")
	call(s, t, "GET", ann.path(), bearer(k.access)).is(401, object{"detail": "User is inactive", "code": "user_inactive"})
	wantDead(s, t, ann, k)
	tryToSignIn(s, t, ann.email, password).is(401, object{"detail": "No active account found with the given credentials"})
	s.MustCLI("user", "set", ann.email, "--active=true")
	wantDead(s, t, ann, k)
	wantAlive(s, t, ann, signIn(s, t, ann))
}

// A deleted user is refused at once.
func TestDeletionEndsAllSessions(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	call(s, t, "DELETE", ann.path(), bearer(k.access)).want(204)
	call(s, t, "GET", ann.path(), bearer(k.access)).is(401, object{"detail": "User not found", "code": "user_not_found"})
	wantDead(s, t, ann, k)
}
