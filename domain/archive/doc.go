// Package archive says when two databases hold the same: their collections have the same number of records and
// the same digest over the records' lines.
package archive
