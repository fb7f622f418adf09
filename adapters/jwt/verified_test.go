package jwt

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/adapters/signingkeys"
	"roster/domain/session"
)

// A token that was accepted once is refused from its exp on, with any byte changed, and when its key is retired.
func TestRememberedTokens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	file := opened(t, dir)
	tokens := New(file, Options{})
	c := session.Claims{
		Type: session.Access, ID: strings.Repeat("a", 32), User: "1", HasUser: true, IssuedAt: now, ExpiresAt: now.Add(time.Minute), Session: sid,
	}
	token := sign(t, tokens, c)
	for range 3 {
		got, err := tokens.Parse(t.Context(), token, now)
		if err != nil || got.User != "1" || got.Session != sid {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if tokens.verified.find(token, file.Current("")) == nil {
		t.Fatal("the token is not remembered")
	}
	if _, err := tokens.Parse(t.Context(), token, now.Add(time.Minute)); err == nil {
		t.Error("accepted at its exp")
	}
	for _, i := range []int{1, strings.IndexByte(token, '.') + 5, len(token) - 10} {
		other := byte('A')
		if token[i] == other {
			other = 'B'
		}
		refused(t, tokens, token[:i]+string(other)+token[i+1:])
	}

	c.Type = session.Refresh
	refresh := sign(t, tokens, c)
	if _, err := parse(t, tokens, refresh); err != nil {
		t.Fatal(err)
	}
	if tokens.verified.find(refresh, file.Current("")) != nil {
		t.Error("a refresh token is remembered")
	}

	ring := signingkeys.NewKeyring(dir, ES256, 0)
	old := file.Current("").Signing().ID()
	if _, err := ring.Rotate(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Retire(t.Context(), old, true); err != nil {
		t.Fatal(err)
	}
	file.Look()
	refused(t, tokens, token)
}

// BenchmarkParse compares a remembered token with a new one.
func BenchmarkParse(b *testing.B) {
	for _, algorithm := range []string{HS256, ES256} {
		var keys signingkeys.Source
		var err error
		if algorithm == HS256 {
			keys, err = signingkeys.FromSecret(secret, HS256)
		} else {
			keys, err = signingkeys.Open(filepath.Join(b.TempDir(), "keys"), ES256, zap.NewNop())
		}
		if err != nil {
			b.Fatal(err)
		}
		tokens := New(keys, Options{})
		token, err := tokens.Sign(b.Context(), session.Claims{
			Type: session.Access, ID: strings.Repeat("a", 32), User: "1", HasUser: true, IssuedAt: now, ExpiresAt: now.Add(time.Minute), Session: sid,
		})
		if err != nil {
			b.Fatal(err)
		}
		for name, again := range map[string]bool{"again": true, "first": false} {
			b.Run(algorithm+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if !again {
						tokens.verified = newVerified()
					}
					if _, err := tokens.Parse(b.Context(), token, now); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// Concurrent requests with one remembered token have no data race.
func TestRememberedTokenAtOnce(t *testing.T) {
	tokens := withSecret(t, Options{Shape: ShapeSimpleJWT, InferSession: true})
	token := sign(t, tokens, session.Claims{Type: session.Access, User: "1", HasUser: true, ExpiresAt: now.Add(time.Minute), Session: sid})
	want, err := parse(t, tokens, token)
	if err != nil || want.Session != sid {
		t.Fatalf("got %+v, %v", want, err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got, err := tokens.Parse(t.Context(), token, now); err != nil || got.Session != sid {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	group.Wait()
}
