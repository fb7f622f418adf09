// Package transfer_test tests imports, exports and copies: the use cases in memory, and the built binary with a real
// export of Django on every persistent backend.
package transfer_test

import (
	"testing"

	"roster/test/support/process"
)

func TestMain(m *testing.M) { process.Main(m) }
