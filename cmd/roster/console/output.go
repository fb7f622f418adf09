package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// List describes how values are printed.
type List[T any] struct {
	Headings []string
	Row      func(v T) []string // the cells of a value in a table
	Object   func(v T) any      // a value in JSON
}

// alignedRows is the number of rows that are aligned with each other, so that a table of any length takes little memory.
const alignedRows = 1000

// Print prints the values that each passes to add: as a table, or in JSON as one object per line.
func (l List[T]) Print(w io.Writer, inJSON bool, each func(add func(v T) error) error) error {
	if inJSON {
		enc := NewEncoder(w)
		return each(func(v T) error { return enc.Encode(l.Object(v)) })
	}
	t, rows := NewTabs(w), 0
	_, _ = fmt.Fprintln(t, strings.Join(l.Headings, "\t"))
	err := each(func(v T) error {
		cells := l.Row(v)
		for i := range cells {
			cells[i] = Visible(cells[i])
		}
		_, err := fmt.Fprintln(t, strings.Join(cells, "\t"))
		if rows++; err == nil && rows%alignedRows == 0 {
			err = t.Flush()
		}
		return err
	})
	return errors.Join(err, t.Flush())
}

// NewTabs returns a writer that aligns cells, which end with a tab.
func NewTabs(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// Line is the name and the value of a line "name: value".
type Line [2]string

// PrintLines prints lines with their values aligned.
func PrintLines(w io.Writer, lines []Line) error {
	t := NewTabs(w)
	for _, l := range lines {
		_, _ = fmt.Fprintf(t, "%s:\t%s\n", l[0], Visible(l[1]))
	}
	return t.Flush()
}

// NewEncoder returns an encoder of JSON in which control characters are escaped.
func NewEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(JSONWriter{Writer: w})
	enc.SetEscapeHTML(false)
	return enc
}
