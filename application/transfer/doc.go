// Package transfer holds the use cases that move users and all other records between systems: the import from
// another system, the copy between two databases, the export to a file and the restore from it.
package transfer
