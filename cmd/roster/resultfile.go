package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"roster/adapters/privatefile"
	"roster/ports/inbound"
)

// resultFile is a private file of JSON lines. It replaces a file of the same name, which may be the one that is
// imported, only when it is complete, and only if it has a line.
type resultFile struct {
	path  string
	file  *privatefile.File
	out   *bufio.Writer
	lines int
}

// open creates the file under a temporary name.
func (r *resultFile) open() error {
	if info, err := os.Stat(r.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", r.path)
	}
	f, err := privatefile.Create(r.path)
	if err != nil {
		return err
	}
	r.file, r.out = f, bufio.NewWriter(f)
	return nil
}

// add writes a value as a line.
func (r *resultFile) add(value any) error {
	r.lines++
	enc := json.NewEncoder(r.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}

// close gives the file its name. made is false if there is no file.
func (r *resultFile) close() (made bool, err error) {
	if r.file == nil {
		return false, nil // open was not called or failed
	}
	if r.lines == 0 {
		return false, r.file.Discard()
	}
	if err := r.out.Flush(); err != nil {
		return false, errors.Join(err, r.file.Discard())
	}
	err = r.file.Replace()
	return err == nil, err
}

// reportLine is a row in the report of an import.
type reportLine struct {
	Place   string           `json:"place"`
	ID      any              `json:"id"`
	Email   string           `json:"email"`
	Outcome inbound.Outcome  `json:"outcome"`
	Reason  inbound.Reason   `json:"reason,omitempty"`
	Detail  string           `json:"detail,omitempty"`
	Other   string           `json:"other_id,omitempty"`
	Members []string         `json:"members,omitempty"`
	Notices []inbound.Notice `json:"notices,omitempty"`
}

func newReportLine(r inbound.ImportRow) reportLine {
	return reportLine{r.Location, jsonID(r.ID), r.Email, r.Outcome, r.Reason, r.Detail, string(r.Other), r.ChangedFields, r.Notices}
}
