// Package archive compares two databases. They are equal when each collection has the same number of records and
// the same digest over the lines of its records.
package archive
