package signingkeys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"roster/domain/signing"
	"testing"
	"time"

	"go.uber.org/zap"
)

const secret = "lantern-orchard-pebble-quiver-granite-0123456789"

// open opens the key file of a directory as a start does.
func open(t *testing.T, dir string) *Set {
	t.Helper()
	f, err := Open(dir, ES256, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return f.Current("")
}

func write(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil { // regardless of the umask
		t.Fatal(err)
	}
}

// generated returns a new private key of the standard library.
func generated(t testing.TB, algorithm string) any {
	t.Helper()
	k, err := generators[algorithm]()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func idOf(t *testing.T, private any) string {
	t.Helper()
	k, err := newKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return k.ID()
}

func inPEM(t *testing.T, private any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

var (
	message = []byte("a token")
	digest  = sha256.Sum256(message)
)

// signature signs with the signing key of the set.
func signature(t *testing.T, s *Set) (id string, sig []byte) {
	t.Helper()
	k := s.Signing()
	signer := k.Private().(crypto.Signer)
	var err error
	if k.Algorithm() == EdDSA {
		sig, err = signer.Sign(nil, message, crypto.Hash(0))
	} else {
		sig, err = signer.Sign(nil, digest[:], crypto.SHA256)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k.ID(), sig
}

// verifies reports whether a set has the key with an id, and whether the key verifies the signature.
func verifies(s *Set, id string, sig []byte) bool {
	k := s.Find(id)
	if k == nil {
		return false
	}
	switch p := k.Public().(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(p, digest[:], sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(p, crypto.SHA256, digest[:], sig) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(p, message, sig)
	}
	return false
}

// rotated returns the key of an operator's rotation.
func rotated(t *testing.T, r *Keyring, id string) signing.Key {
	t.Helper()
	k, err := r.Rotate(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func added(t *testing.T, r *Keyring, algorithm string) signing.Key {
	t.Helper()
	k, err := r.Add(t.Context(), algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// operator is a Keyring with a clock that the test sets.
type operator struct {
	*Keyring
	t     *testing.T
	dir   string
	clock time.Time
}

func operate(t *testing.T) *operator {
	t.Helper()
	return operateOn(t, filepath.Join(t.TempDir(), "keys"))
}

func operateOn(t *testing.T, dir string) *operator {
	o := &operator{NewKeyring(dir, ES256, 24*time.Hour), t, dir, time.Now().UTC()}
	o.Keyring.now = func() time.Time { return o.clock }
	return o
}
