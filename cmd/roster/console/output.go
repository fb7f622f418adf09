package console

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Printer prints values, one after the other.
type Printer[T any] interface {
	Add(v T) error
	// Flush prints what is held back to align columns.
	Flush() error
}

// Table prints values as rows of columns. Columns are aligned in parts of the table, so that a table of any length
// takes little memory.
type Table[T any] struct {
	w    *tabwriter.Writer
	row  func(v T) []string
	rows int
}

// alignedRows is how many rows are aligned with each other.
const alignedRows = 1000

// NewTable returns a table on w with the given headings.
func NewTable[T any](w io.Writer, row func(v T) []string, headings ...string) *Table[T] {
	t := &Table[T]{w: newTabs(w), row: row}
	_, _ = fmt.Fprintln(t.w, strings.Join(headings, "\t"))
	return t
}

func newTabs(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// Add implements Printer.
func (t *Table[T]) Add(v T) error {
	cells := t.row(v)
	for i := range cells {
		cells[i] = Visible(cells[i])
	}
	_, err := fmt.Fprintln(t.w, strings.Join(cells, "\t"))
	if t.rows++; err == nil && t.rows%alignedRows == 0 {
		err = t.w.Flush()
	}
	return err
}

// Flush implements Printer.
func (t *Table[T]) Flush() error { return t.w.Flush() }

// Line is the name and the value of a line "name: value".
type Line [2]string

// PrintLines prints lines with their values aligned.
func PrintLines(w io.Writer, lines []Line) error {
	t := newTabs(w)
	for _, l := range lines {
		_, _ = fmt.Fprintf(t, "%s:\t%s\n", l[0], Visible(l[1]))
	}
	return t.Flush()
}

// JSONLines prints values as JSON objects, one per line.
type JSONLines[T any] struct {
	*json.Encoder
	object func(v T) any
}

// NewJSONLines returns JSONLines on w; object returns what to encode of a value.
func NewJSONLines[T any](w io.Writer, object func(v T) any) JSONLines[T] {
	return JSONLines[T]{NewEncoder(w), object}
}

// Add implements Printer.
func (l JSONLines[T]) Add(v T) error { return l.Encode(l.object(v)) }

// Flush implements Printer.
func (JSONLines[T]) Flush() error { return nil }

// NewEncoder returns an encoder of JSON in which control characters are escaped.
func NewEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(JSONWriter{Writer: w})
	enc.SetEscapeHTML(false)
	return enc
}
