// Package django replays the recorded wire contract: requests to a real Django REST Framework and SimpleJWT service with
// its answers. A service that passes is a drop-in for it.
package django

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Transcript is a file of recorded cases; its member "schema" describes its parts.
type Transcript struct {
	Config struct {
		SecretKey string `json:"secret_key"`
	}
	CaseCount int `json:"case_count"`
	Cases     []Case
}

// Case is a sequence of steps. It registers the users that it needs and ends at its first failing step.
type Case struct {
	ID, Title, Profile string
	Tags               []string
	Steps              []Step
}

// Step is one action. Do determines which of its members are used.
type Step struct {
	Do string

	// request
	Method, Path string
	Headers      map[string]string
	Body         *string
	BodyBase64   *string  `json:"body_base64"`
	BodyRepeat   []repeat `json:"body_repeat"`
	Expect       Expect
	ExpectAlt    []Expect `json:"expect_alt"`
	Capture      map[string]string

	// jwt_mint, jwt_tamper, jwt_splice, jwt_check
	Into, Token, Key, Sign string
	Header, Claims         any
	Part                   int
	Parts                  []string
	ExpiresIn              *int64 `json:"expires_in"`
	ExtraFields            bool   `json:"extra_fields"`

	A, B          string // assert_differ
	Action, Email string // hook

	To, Link, From, Subject, Text string // mail, no_mail; Text is that of uid and tamper too

	// django_token, uid, tamper, sleep
	PK        string
	Password  string
	LastLogin string `json:"last_login"`
	Age       int64
	Digest    string
	Index     int
	Seconds   float64
}

// Expect is the expected answer.
type Expect struct {
	Status        statuses
	Headers       map[string]string
	AbsentHeaders []string `json:"absent_headers"`
	BodyKind      string   `json:"body_kind"`
	Body          any
	ExtraFields   bool `json:"extra_fields"`
}

// statuses is a status code, or a list of alternatives.
type statuses []int

func (s *statuses) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("[")) {
		return json.Unmarshal(raw, (*[]int)(s))
	}
	*s = make(statuses, 1)
	return json.Unmarshal(raw, &(*s)[0])
}

// repeat is a text and the number of its repetitions.
type repeat struct {
	text  string
	times int
}

func (r *repeat) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[]any{&r.text, &r.times})
}

// Load reads a transcript.
func Load(path string) (*Transcript, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var t Transcript
	if err := decode(raw, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &t, nil
}

// decode reads exactly one JSON value and keeps numbers as they are written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows the JSON value")
	}
	return nil
}
