package bootstrap

import (
	"roster/adapters/storage"
	"roster/adapters/storage/memory"
	"roster/adapters/storage/mongodb"
	"roster/adapters/storage/postgres"
	"roster/adapters/storage/sqlite"
)

// drivers are the storage backends of this binary.
var drivers = []storage.Driver{
	memory.Driver,
	mongodb.Driver,
	mongodb.SRVDriver,
	postgres.Driver,
	postgres.Alias,
	sqlite.Driver,
}
