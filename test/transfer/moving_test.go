// Package moving looks at moves into the service, out of it, and from one database to another: the use
// cases over memory, and the built binary with a real export of Django on every backend that lasts.
package transfer_test

import (
	"testing"

	"roster/test/support/process"
)

func TestMain(m *testing.M) { process.Main(m) }
