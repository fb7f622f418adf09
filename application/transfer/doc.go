// Package transfer implements the use cases that move records between systems: the import of users from another
// system, the copy between two databases, the export to a file and the restore from it.
package transfer
