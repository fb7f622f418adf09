package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// recordName is the file that holds what the keys themselves do not tell.
const recordName = "rotation.json"

// record is what rotation.json says of a key.
type record struct {
	Created     time.Time `json:"created,omitzero"`
	Unused      bool      `json:"unused,omitempty"`      // it was added, and has not signed yet
	Stopped     time.Time `json:"stopped,omitzero"`      // when it last ceased to sign
	TokensUntil time.Time `json:"tokens_until,omitzero"` // when its last token expires, as the settings then were
}

// records is rotation.json: a record by a key's id. A key without one was not made by roster keys.
type records map[string]record

func readRecords(folder string) (records, error) {
	name := filepath.Join(folder, recordName)
	text, _, err := readFile(name, 0o022)
	if errors.Is(err, fs.ErrNotExist) {
		return records{}, nil
	}
	if err != nil {
		return nil, err
	}
	out := records{}
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("jwt: %s: not as roster wrote it; removing it forgets when keys ceased to sign", name)
	}
	return out, nil
}
