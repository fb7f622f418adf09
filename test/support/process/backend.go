package process

import (
	"os"
	"testing"

	"roster/test/support/testenv"
)

// BackendVariable names the storage that the tests of the whole service run on: sqlite (the default),
// postgres, mongodb, or memory for those tests that neither restart the service nor administer it.
const BackendVariable = "TEST_BACKEND"

// database returns the URL of a new, empty database on the chosen backend, "" for the embedded one.
func database(t testing.TB) string {
	t.Helper()
	switch backend := os.Getenv(BackendVariable); backend {
	case "", "sqlite":
		return ""
	case "memory":
		return "memory:"
	case "postgres":
		return testenv.Postgres(t)
	case "mongodb":
		return testenv.MongoDB(t)
	default:
		t.Fatalf("%s=%s: no such backend", BackendVariable, backend)
		return ""
	}
}
