package memory_test

import (
	"testing"

	"roster/adapters/storage"
	"roster/adapters/storage/memory"
	"roster/test/conformance"
)

func TestConformance(t *testing.T) {
	conformance.Backend(t, func(*testing.T) storage.Backend { return memory.New() })
}
