package linktoken_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"roster/adapters/linktoken"
	"roster/domain/link"
	"roster/domain/user"
)

const (
	secret = "reference-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz"
	other  = "lantern-orchard-pebble-quiver-granite-0123456789"
)

// native returns tokens with keys as a set of signing keys derives them.
func native(_ testing.TB, signing string, fallbacks ...string) *linktoken.Native {
	var macs []func([]byte) []byte
	for _, key := range append([]string{signing}, fallbacks...) {
		macs = append(macs, func(message []byte) []byte {
			h := hmac.New(sha256.New, []byte(key))
			h.Write(message)
			return h.Sum(nil)
		})
	}
	return linktoken.NewNative(func() ([]func([]byte) []byte, error) { return macs, nil })
}

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func state(p link.Purpose) link.State {
	return link.State{
		Purpose: p, User: "42", Password: "argon2$x", Email: "Ann@example.com", EmailKey: "ann@example.com", NewEmail: "lee@example.com",
		LastLogin: now.Add(-time.Hour), Epoch: 3,
	}
}

var purposes = []link.Purpose{link.Activation, link.PasswordReset, link.EmailChange, link.EmailUndo, link.Invitation}

type tokens interface {
	Make(s link.State, now time.Time) (string, error)
	Check(s link.State, token string, lifetime time.Duration, now time.Time) error
}

func made(t testing.TB, l tokens, s link.State, at time.Time) string {
	t.Helper()
	token, err := l.Make(s, at)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// bad fails the test unless the error is that of a bad token.
func bad(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, link.ErrBadToken) {
		t.Errorf("%s: %v", what, err)
	}
}

// A token is good for its purpose and state, from a minute before its making to the end of its lifetime.
func TestNative(t *testing.T) {
	n := native(t, secret)
	text := regexp.MustCompile(`^[A-Za-z0-9_-]{30,100}$`)
	for _, p := range purposes {
		s := state(p)
		token := made(t, n, s, now)
		if !text.MatchString(token) {
			t.Errorf("%s: another form: %s", p, token)
		}
		for after, good := range map[int]bool{0: true, 3600: true, 3601: false, -60: true, -61: false} { // seconds
			if err := n.Check(s, token, time.Hour, now.Add(time.Duration(after)*time.Second)); (err == nil) != good {
				t.Errorf("%s: after %d s: %v", p, after, err)
			}
		}
		changes := map[string]func(*link.State){
			"user":       func(s *link.State) { s.User = "43" },
			"password":   func(s *link.State) { s.Password = "" },
			"email":      func(s *link.State) { s.Email = "ann@example.com" },
			"email key":  func(s *link.State) { s.EmailKey = "ann@example.org" },
			"new email":  func(s *link.State) { s.NewEmail = "" },
			"last login": func(s *link.State) { s.LastLogin = time.Time{} },
			"epoch":      func(s *link.State) { s.Epoch++ },
			"the border": func(s *link.State) { s.User, s.Password = user.ID(string(s.User)+s.Password[:1]), s.Password[1:] },
		}
		for _, q := range purposes {
			if q != p {
				changes["purpose "+string(q)] = func(s *link.State) { s.Purpose = q }
			}
		}
		for name, change := range changes {
			changed := s
			change(&changed)
			bad(t, string(p)+", another "+name, n.Check(changed, token, time.Hour, now))
		}
		bad(t, "another key", native(t, other).Check(s, token, time.Hour, now))
		if err := native(t, other, secret).Check(s, token, time.Hour, now); err != nil {
			t.Errorf("after a rotation: %v", err)
		}
		for _, changed := range []string{"", "-", token + "A", token[1:], "0" + token, " " + token, strings.ToUpper(token), token[:len(token)-1], token + "="} {
			bad(t, changed, n.Check(s, changed, time.Hour, now))
		}
	}
}

func TestKeysThatFail(t *testing.T) {
	failure := errors.New("no keys")
	n := linktoken.NewNative(func() ([]func([]byte) []byte, error) { return nil, failure })
	if _, err := n.Make(state(link.Activation), now); !errors.Is(err, failure) {
		t.Errorf("made: %v", err)
	}
	if err := n.Check(state(link.Activation), "a-b", time.Hour, now); !errors.Is(err, failure) {
		t.Errorf("checked: %v", err)
	}
}

type vector struct {
	Note, PK, Password, Email, Now, At, UID, Token string
	SecretKey                                      string  `json:"secret_key"`
	LastLogin                                      *string `json:"last_login"`
	Valid                                          bool
}

func (v vector) state(t *testing.T) link.State {
	t.Helper()
	s := link.State{Purpose: link.PasswordReset, User: user.ID(v.PK), Password: v.Password, Email: v.Email}
	if v.LastLogin != nil {
		s.LastLogin = at(t, *v.LastLogin)
	}
	return s
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse("2006-01-02T15:04:05.999999", text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// Django's tokens are made and checked to the byte. The vectors are of Django 3.2.
func TestDjangosVectors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "token-vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors, Checks []vector
		Secret          string `json:"checks_secret_key"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 13 || len(file.Checks) < 19 {
		t.Fatalf("%d vectors and %d checks", len(file.Vectors), len(file.Checks))
	}
	n := native(t, other)
	for _, v := range file.Vectors {
		d, s, when := linktoken.NewDjango(n, v.SecretKey), v.state(t), at(t, v.Now)
		if got := made(t, d, s, when); got != v.Token {
			t.Errorf("%s: %s, want %s", v.Note, got, v.Token)
		}
		if got := link.EncodeUID(s.User); got != v.UID {
			t.Errorf("%s: uid %s, want %s", v.Note, got, v.UID)
		}
		for _, of := range []*linktoken.Django{d, linktoken.NewDjango(n, other, v.SecretKey)} {
			if err := of.Check(s, v.Token, 72*time.Hour, when); err != nil {
				t.Errorf("%s: %v", v.Note, err)
			}
		}
		bad(t, v.Note+", another secret", linktoken.NewDjango(n, other).Check(s, v.Token, 72*time.Hour, when))
	}
	d := linktoken.NewDjango(n, file.Secret)
	for _, c := range file.Checks {
		if err := d.Check(c.state(t), c.Token, 72*time.Hour, at(t, c.At)); (err == nil) != c.Valid {
			t.Errorf("%s: %v", c.Note, err)
		}
	}
}

// A token of Django's opens activation and password reset. Those of the other purposes are bound to their purpose.
func TestPurposesOfDjango(t *testing.T) {
	n := native(t, other)
	d := linktoken.NewDjango(n, secret)
	for _, p := range purposes {
		token := made(t, d, state(p), now)
		for _, q := range purposes {
			django := func(p link.Purpose) bool { return p == link.Activation || p == link.PasswordReset }
			if err := d.Check(state(q), token, time.Hour, now); (err == nil) != (p == q || django(p) && django(q)) {
				t.Errorf("a token of %s for %s: %v", p, q, err)
			}
			if err := n.Check(state(q), token, time.Hour, now); (err == nil) != (p == q && !django(p)) {
				t.Errorf("a token of %s for %s, without Django: %v", p, q, err)
			}
		}
	}
	if _, err := d.Make(state(link.Activation), time.Date(2000, 12, 31, 23, 59, 59, 0, time.UTC)); err == nil {
		t.Error("a token of the year 2000")
	}
}

func FuzzCheck(f *testing.F) {
	n := native(f, other)
	s := state(link.PasswordReset)
	all := map[tokens]string{n: "", linktoken.NewDjango(n, secret): ""}
	for l := range all {
		all[l] = made(f, l, s, now)
		f.Add(all[l], int64(0))
		f.Add(all[l]+"=", int64(time.Hour))
	}
	f.Add("dir5c0-4af9c92b87201423623f", int64(0))
	f.Add("zzzzzzzzzzzzz-", int64(-1))
	f.Fuzz(func(t *testing.T, token string, after int64) {
		for l, good := range all {
			if err := l.Check(s, token, time.Hour, now.Add(time.Duration(after))); err == nil && token != good {
				t.Errorf("%T: %q is good", l, token)
			} else if err != nil && !errors.Is(err, link.ErrBadToken) {
				t.Errorf("%T: %v", l, err)
			}
		}
	})
}
