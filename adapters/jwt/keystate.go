package jwt

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// keyState is the keys as they were read, and changes with them.
type keyState struct {
	*Keyring
	contents
	told records
}

// infos describes all keys, the oldest first.
func (s *keyState) infos() []KeyInfo {
	out := make([]KeyInfo, len(s.keys))
	for i := range s.keys {
		out[i] = s.describe(i)
	}
	slices.SortStableFunc(out, func(a, b KeyInfo) int { return a.Created.Compare(b.Created) })
	return out
}

// info describes one key, or returns ErrUnknownKey.
func (s *keyState) info(kid string) (KeyInfo, error) {
	i := s.index(kid)
	if i < 0 {
		return KeyInfo{}, fmt.Errorf("%w: %s", ErrUnknownKey, kid)
	}
	return s.describe(i), nil
}

func (s *keyState) index(kid string) int {
	return slices.IndexFunc(s.keys, func(k keyFile) bool { return k.kid == kid })
}

func (s *keyState) describe(i int) KeyInfo {
	k := s.keys[i]
	said := s.told[k.kid]
	out := KeyInfo{ID: k.kid, Algorithm: k.alg, Created: said.Created}
	if out.Created.IsZero() {
		out.Created = k.modified.UTC()
	}
	stopped := said.Stopped
	switch {
	case i == s.signing:
		out.State = Signing
		return out
	case said.Unused:
		out.State = Added
		return out
	case stopped.IsZero() && k.modified.After(s.turned): // it came after the present signer did
		out.State = Added
		return out
	case stopped.IsZero(): // rotated by hand: when the present signer came, at the latest
		stopped = s.turned
	}
	out.Until = said.TokensUntil
	if until := stopped.Add(s.lifetime); until.After(out.Until) {
		out.Until = until
	}
	out.Until = out.Until.Add(leeway).UTC()
	out.State = Verifying
	if !s.now().Before(out.Until) {
		out.State = Expired
	}
	return out
}

// newest returns the key added last, "" when none is waiting.
func (s *keyState) newest() string {
	all := s.infos()
	for _, k := range slices.Backward(all) {
		if k.State == Added {
			return k.ID
		}
	}
	return ""
}

// add makes a key. First its record: without the key it means nothing, and the key without it might have
// signed.
func (s *keyState) add(algorithm string) (kid string, err error) {
	if err := checkPair(algorithm); err != nil {
		return "", err
	}
	if err := s.pin(); err != nil {
		return "", err
	}
	k, err := makeKey(algorithm)
	if err != nil {
		return "", fmt.Errorf("jwt: make a key: %w", err)
	}
	text, err := privatePEM(k.private)
	if err != nil {
		return "", fmt.Errorf("jwt: make a key: %w", err)
	}
	now := s.now().UTC()
	if err := s.save(k.kid, record{Created: now, Unused: true}); err != nil {
		return "", err
	}
	file := keyFile{k, filepath.Join(s.folder, k.kid+keySuffix), now}
	if err := s.replace(file.path, text); err != nil {
		return "", fmt.Errorf("jwt: %w", err)
	}
	s.keys = append(s.keys, file)
	return k.kid, nil
}

// pin writes down which key signs where that went without saying, while it is the only one.
func (s *keyState) pin() error {
	if s.marked {
		return nil
	}
	return s.mark(s.signing)
}

func (s *keyState) mark(i int) error {
	if err := s.replace(filepath.Join(s.folder, markerName), []byte(s.keys[i].kid+"\n")); err != nil {
		return fmt.Errorf("jwt: %w", err)
	}
	s.signing, s.marked = i, true
	return nil
}

// sign makes a key the one that signs. First it is written down that the present one ceases to: were
// that forgotten, it might be retired too early; said too early, it is put right by the next rotation.
func (s *keyState) sign(kid string) error {
	next := s.index(kid)
	if next < 0 {
		return fmt.Errorf("%w: %s", ErrUnknownKey, kid)
	}
	if next == s.signing {
		return s.pin()
	}
	now := s.now().UTC()
	last := s.keys[s.signing].kid
	said := s.told[last]
	said.Unused, said.Stopped = false, now
	if until := now.Add(s.lifetime); until.After(said.TokensUntil) {
		said.TokensUntil = until
	}
	fresh := s.told[kid]
	fresh.Unused, fresh.Stopped = false, time.Time{}
	s.told[kid] = fresh
	if err := s.save(last, said); err != nil {
		return err
	}
	return s.mark(next)
}

// retire removes a key. Its record goes with the next that is written.
func (s *keyState) retire(kid string) error {
	for i := s.index(kid); i >= 0; i = s.index(kid) { // it may lie there twice
		if err := s.remove(s.keys[i].path); err != nil {
			return fmt.Errorf("jwt: %w", err)
		}
		s.keys = slices.Delete(s.keys, i, i+1)
		if s.signing > i {
			s.signing--
		}
	}
	return nil
}

// save writes a record, beside those of the keys that there are.
func (s *keyState) save(kid string, said record) error {
	for known := range s.told {
		if s.index(known) < 0 {
			delete(s.told, known)
		}
	}
	s.told[kid] = said
	text, err := json.MarshalIndent(s.told, "", "  ")
	if err != nil {
		return fmt.Errorf("jwt: %w", err)
	}
	if err := s.replace(filepath.Join(s.folder, recordName), append(text, '\n')); err != nil {
		return fmt.Errorf("jwt: %w", err)
	}
	return nil
}
