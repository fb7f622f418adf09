package bootstrap

import (
	"roster/adapters/storage"
	"roster/adapters/storage/memory"
	"roster/adapters/storage/mongodb"
	"roster/adapters/storage/postgres"
	"roster/adapters/storage/sqlite"
)

// drivers is every storage backend that this binary can open. Adding one is one entry here.
var drivers = []storage.Driver{
	memory.Driver,
	mongodb.Driver,
	mongodb.SRVDriver,
	postgres.Driver,
	postgres.Alias,
	sqlite.Driver,
}
