// Package mongodb is the backend on MongoDB 4.4 or newer, shared by any number of instances: a
// standalone server, a replica set or a sharded cluster. One document is the unit of atomicity; nothing needs a
// transaction.
package mongodb
