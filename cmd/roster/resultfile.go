package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"roster/adapters/privatefile"
	"roster/ports/inbound"
)

// resultFile is a private file of lines, which replaces any file of its name only when it is complete: that may
// be the file that the import reads. Without a line no file is made.
type resultFile struct {
	path  string
	file  *privatefile.File
	out   *bufio.Writer
	lines int
}

// open makes the file under another name, so that it fails before there is anything to write.
func (r *resultFile) open() error {
	if info, err := os.Stat(r.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", r.path)
	}
	f, err := privatefile.Create(r.path)
	if err != nil {
		return err
	}
	r.file, r.out = f, bufio.NewWriter(f)
	return nil
}

// add writes one JSON value as a line.
func (r *resultFile) add(text []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil {
		return err
	}
	line.WriteByte('\n')
	r.lines++
	_, err := r.out.Write(line.Bytes())
	return err
}

// close gives the file its name, and reports whether there is one.
func (r *resultFile) close() (bool, error) {
	if r.file == nil {
		return false, nil // it was not opened
	}
	if r.lines == 0 {
		return false, r.file.Discard()
	}
	if err := r.out.Flush(); err != nil {
		return false, errors.Join(err, r.file.Discard())
	}
	err := r.file.Replace()
	return err == nil, err
}

// reportLine is a row in the report of an import.
type reportLine struct {
	Place   string           `json:"place"`
	ID      any              `json:"id"` // a number when it is a counted one, null when there is none
	Email   string           `json:"email"`
	Outcome inbound.Outcome  `json:"outcome"`
	Reason  inbound.Reason   `json:"reason,omitempty"`
	Detail  string           `json:"detail,omitempty"`
	Other   string           `json:"other_id,omitempty"`
	Members []string         `json:"members,omitempty"`
	Notices []inbound.Notice `json:"notices,omitempty"`
}

func newReportLine(r inbound.ImportRow) ([]byte, error) {
	l := reportLine{
		Place: r.Location, Email: r.Email, Outcome: r.Outcome, Reason: r.Reason, Detail: r.Detail,
		Other: string(r.Other), Members: r.ChangedFields, Notices: r.Notices,
	}
	if n, ok := r.ID.Integer(); ok {
		l.ID = n
	} else if r.ID != "" {
		l.ID = r.ID
	}
	return json.Marshal(l)
}
