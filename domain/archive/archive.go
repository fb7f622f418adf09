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
	collection string
	count      int64
	hash       hash.Hash
}

// NewSum returns the sum of an empty collection.
func NewSum(collection string) *Sum { return &Sum{collection: collection, hash: sha256.New()} }

// Add adds the line of a record. Lines must be added in key order.
func (s *Sum) Add(line []byte) {
	s.count++
	_, _ = s.hash.Write(line) // a hash never fails
}

// Collection returns the name of the collection.
func (s *Sum) Collection() string { return s.collection }

// Count returns the number of lines added.
func (s *Sum) Count() int64 { return s.count }

// Contents returns the contents so far.
func (s *Sum) Contents() Contents {
	return Contents{Collection: s.collection, Count: s.count, Digest: hex.EncodeToString(s.hash.Sum(nil))}
}

// Compare fails with ErrDifferent for each collection of want that got lacks or that differs.
func Compare(want, got []Contents) error {
	var faults []error
	for i, w := range want {
		if i < len(got) && got[i] == w {
			continue
		}
		n := int64(0)
		if i < len(got) {
			n = got[i].Count
		}
		faults = append(faults, fmt.Errorf("%w: %s: %d in the source, %d in the target", ErrDifferent, w.Collection, w.Count, n))
	}
	return errors.Join(faults...)
}
