package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"roster/domain/fault"
)

// Errors of a copy or a restore.
var (
	ErrNotEmpty  = fault.New(fault.Conflict, "target_not_empty", "the target is not empty")
	ErrDifferent = fault.New(fault.Conflict, "different", "source and target differ")
)

// Contents summarises one collection. Collections with equal contents have equal records, on every backend.
type Contents struct {
	Collection string
	Count      int64
	Digest     string // SHA-256 of the lines of all records in key order, in hexadecimal
}

// Sum computes the Contents of a collection from the lines of its records.
type Sum struct {
	contents Contents // without the digest
	hash     hash.Hash
}

// NewSum returns the sum of an empty collection.
func NewSum(collection string) *Sum { return &Sum{Contents{Collection: collection}, sha256.New()} }

// Add adds the line of a record. Lines must be added in key order.
func (s *Sum) Add(line []byte) {
	s.contents.Count++
	_, _ = s.hash.Write(line) // a hash never fails
}

// Count returns the number of lines added.
func (s *Sum) Count() int64 { return s.contents.Count }

// Contents returns the contents so far.
func (s *Sum) Contents() Contents {
	out := s.contents
	out.Digest = hex.EncodeToString(s.hash.Sum(nil))
	return out
}

// Compare fails with ErrDifferent for each collection of want that got lacks or that differs.
func Compare(want, got []Contents) error {
	var faults []error
	for i, w := range want {
		var g Contents
		if i < len(got) {
			g = got[i]
		}
		if g != w {
			faults = append(faults, fmt.Errorf("%w: %s: %d in the source, %d in the target", ErrDifferent, w.Collection, w.Count, g.Count))
		}
	}
	return errors.Join(faults...)
}
