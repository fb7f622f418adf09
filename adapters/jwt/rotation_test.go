package jwt

import (
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/adapters/signingkeys"
	"roster/domain/session"
)

// A former secret verifies, and does not sign.
func TestFallbacks(t *testing.T) {
	const next, older = "harbour-velvet-cinder-maple-thistle-9876543210", "meadow-copper-lattice-juniper-anvil-1357924680"
	for _, shape := range []Shape{ShapeSession, ShapeSimpleJWT} {
		keys, err := signingkeys.FromSecret(next, HS256, older, secret)
		if err != nil {
			t.Fatal(err)
		}
		tokens := New(keys, Options{Shape: shape})
		old := hs(hsHead, minimal)
		if _, err := parse(t, tokens, old); err != nil {
			t.Errorf("a token of the old secret: %v", err)
		}
		fresh := sign(t, tokens, session.Claims{ExpiresAt: now.Add(time.Hour)})
		if _, err := parse(t, tokens, fresh); err != nil {
			t.Errorf("a token of the new secret: %v", err)
		}
		refused(t, withSecret(t, Options{Shape: shape}), fresh)
		refused(t, tokens, old[:len(old)-2]+"AA")
		refused(t, tokens, hs512(`{"alg":"HS512"}`, minimal))
		without, err := signingkeys.FromSecret(next, HS256, older)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, New(without, Options{Shape: shape}), old)
	}
}

// opened returns the keys of a directory, opened by a new instance.
func opened(t *testing.T, dir string) *signingkeys.File {
	t.Helper()
	f, err := signingkeys.Open(dir, ES256, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Two instances accept each other's tokens before either has reloaded the keys; tokens of a retired key are refused once
// they have.
func TestTokenOfAnotherInstance(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	ring := signingkeys.NewKeyring(dir, ES256, 24*time.Hour)
	ahead, behind := opened(t, dir), opened(t, dir)
	claims := session.Claims{ExpiresAt: now.Add(time.Hour)}
	first, old := ahead.Current("").Signing().ID(), sign(t, New(ahead, Options{}), claims)
	for _, algorithm := range []string{ES256, EdDSA, RS256} {
		if _, err := ring.Add(t.Context(), algorithm); err != nil {
			t.Fatal(err)
		}
		if _, err := ring.Rotate(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		ahead.Look()
		if _, err := parse(t, New(behind, Options{}), sign(t, New(ahead, Options{}), claims)); err != nil {
			t.Errorf("%s: the one behind refuses: %v", algorithm, err)
		}
		if _, err := parse(t, New(ahead, Options{}), old); err != nil {
			t.Errorf("%s: the one ahead refuses: %v", algorithm, err)
		}
	}
	if _, err := ring.Retire(t.Context(), first, true); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*signingkeys.File{ahead, behind} {
		f.Look()
		refused(t, New(f, Options{}), old)
	}
}

// No token is refused during concurrent rotations.
func TestRotationUnderLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	ring := signingkeys.NewKeyring(dir, ES256, 24*time.Hour)
	one, other := opened(t, dir), opened(t, dir)
	stop, done := make(chan struct{}), make(chan struct{})
	for _, pair := range [][2]*signingkeys.File{{one, other}, {other, one}} {
		go func() {
			defer func() { done <- struct{}{} }()
			signs, verifies := New(pair[0], Options{}), New(pair[1], Options{})
			for {
				select {
				case <-stop:
					return
				default:
				}
				token, err := signs.Sign(t.Context(), session.Claims{ExpiresAt: now.Add(time.Hour)})
				if err == nil {
					_, err = verifies.Parse(t.Context(), token, now)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	for range 10 {
		if _, err := ring.Rotate(t.Context(), ""); err != nil {
			t.Error(err)
		}
		one.Look()
		if _, err := ring.Add(t.Context(), ""); err != nil {
			t.Error(err)
		}
		other.Look()
	}
	close(stop)
	<-done
	<-done
}
