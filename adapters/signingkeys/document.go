package signingkeys

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"roster/adapters/privatefile"
)

// FileName is the name of the key file in its directory.
const FileName = "signing-keys.json"

// MaxFile is the largest size of a key file in bytes. An RSA key of 8192 bits takes 6,000.
const MaxFile = 1 << 20

// document is the content of the key file: a JWK set (RFC 7517) of private keys, with the id of the one that signs.
type document struct {
	Signing string   `json:"signing"`
	Keys    []*entry `json:"keys"` // the oldest first
}

// entry is a key with its times, which are further members of its JWK.
type entry struct {
	*Key
	times
}

type times struct {
	Created     time.Time `json:"created"`
	Stopped     time.Time `json:"stopped,omitzero"`      // when it last stopped signing
	TokensUntil time.Time `json:"tokens_until,omitzero"` // when its last token expires, by the settings when it stopped
}

// MarshalJSON returns the JWK of the private key, with the times.
func (e *entry) MarshalJSON() ([]byte, error) {
	jwk, err := json.Marshal(jose.JSONWebKey{Key: e.private, KeyID: e.id, Algorithm: e.algorithm, Use: "sig"})
	if err != nil {
		return nil, err
	}
	times, err := json.Marshal(e.times)
	if err != nil {
		return nil, err
	}
	jwk[len(jwk)-1] = ','
	return append(jwk, times[1:]...), nil
}

// UnmarshalJSON decodes the result of MarshalJSON. Its errors quote nothing of the key.
func (e *entry) UnmarshalJSON(text []byte) error {
	var jwk jose.JSONWebKey
	if jwk.UnmarshalJSON(text) != nil || json.Unmarshal(text, &e.times) != nil {
		return errDocument
	}
	k, err := newKey(jwk.Key)
	if err != nil {
		return err
	}
	if k.id != jwk.KeyID {
		return errDocument
	}
	e.Key = k
	return nil
}

var errDocument = errors.New("not a file that roster keys wrote")

// read returns the keys at path. The error is fs.ErrNotExist, with a document without keys, if there is no such file.
func read(path string) (*document, error) {
	content, err := readContent(path)
	if err != nil {
		return &document{}, err
	}
	return parse(path, content)
}

func readContent(path string) ([]byte, error) {
	content, err := privatefile.Read(path, MaxFile)
	if err == nil {
		err = privatefile.CheckDir(filepath.Dir(path))
	}
	return content, err
}

func parse(path string, content []byte) (*document, error) {
	d := &document{}
	if err := json.Unmarshal(content, d); err != nil {
		if !errors.Is(err, errUnsuitable) {
			err = errDocument // a parser's error may quote a key
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if slices.Contains(d.Keys, nil) || d.find(d.Signing) == nil {
		return nil, fmt.Errorf("%s: %w", path, errDocument)
	}
	return d, nil
}

// write replaces the key file, by renaming a complete one.
func (d *document) write(path string) error {
	content, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return privatefile.Write(path, append(content, '\n'))
}

// set returns the keys of the document.
func (d *document) set() (*Set, error) {
	keys := make([]*Key, len(d.Keys))
	for i, e := range d.Keys {
		keys[i] = e.Key
	}
	return newSet(d.find(d.Signing).Key, keys...)
}

// find returns the entry of a key, or nil.
func (d *document) find(id string) *entry {
	i := slices.IndexFunc(d.Keys, func(e *entry) bool { return e.id == id })
	if i < 0 {
		return nil
	}
	return d.Keys[i]
}

// add appends a key. The first one signs.
func (d *document) add(k *Key, now time.Time) *entry {
	e := &entry{k, times{Created: now}}
	d.Keys = append(d.Keys, e)
	if len(d.Keys) == 1 {
		d.Signing = k.id
	}
	return e
}

// sign makes a key the one that signs, and records until when tokens of the former one are in use.
func (d *document) sign(e *entry, now time.Time, lifetime time.Duration) {
	if e.id == d.Signing {
		return
	}
	former := d.find(d.Signing)
	former.Stopped = now
	if until := now.Add(lifetime); until.After(former.TokensUntil) {
		former.TokensUntil = until
	}
	d.Signing = e.id
}

// newest returns the key added last among those that have not signed yet, or nil.
func (d *document) newest() *entry {
	for _, e := range slices.Backward(d.Keys) {
		if d.unused(e) {
			return e
		}
	}
	return nil
}

// unused reports whether a key has not signed yet.
func (d *document) unused(e *entry) bool { return e.id != d.Signing && e.Stopped.IsZero() }
