package attacks

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
)

// sign signs a token of any content with the ES256 key of the server, as a thief of the key could.
func sign(dir string, in io.Reader, out io.Writer) error {
	var asked struct {
		Header  json.RawMessage `json:"header"`
		Payload string          `json:"payload_b64"`
	}
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return err
	}
	key, err := signingKey(dir)
	if err != nil {
		return err
	}
	header := []byte(asked.Header)
	var text string
	if json.Unmarshal(header, &text) == nil { // a header that is not JSON is a text
		header = []byte(text)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + asked.Payload
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return err
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	_, err = fmt.Fprintln(out, signed+"."+base64.RawURLEncoding.EncodeToString(signature))
	return err
}

// signingKey returns the key of the key file that signs.
func signingKey(dir string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(filepath.Join(dir, "signing-keys.json"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Signing string
		jose.JSONWebKeySet
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	for _, k := range file.Key(file.Signing) {
		if ec, ok := k.Key.(*ecdsa.PrivateKey); ok {
			return ec, nil
		}
	}
	return nil, errors.New("no elliptic key")
}
