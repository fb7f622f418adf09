package attacks

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// sign signs a token of any content with the server's own ES256 key, as somebody who stole it could.
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
	if json.Unmarshal(header, &text) == nil { // a header that is no JSON comes as text
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

func signingKey(dir string) (*ecdsa.PrivateKey, error) {
	kid, err := os.ReadFile(filepath.Join(dir, "signing"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, strings.TrimSpace(string(kid))+".pem"))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("no elliptic key")
	}
	return ec, nil
}
