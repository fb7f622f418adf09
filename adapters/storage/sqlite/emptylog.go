package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"roster/adapters/storage"
	"roster/ports/outbound"
)

// auditTrail empties the log after the last batch of a sweep of the audit trail: the last step of the housekeeping.
type auditTrail struct {
	outbound.AuditTrail
	s *Store
}

// AuditTrail implements storage.Backend.
func (s *Store) AuditTrail() outbound.AuditTrail { return auditTrail{s.Tables.AuditTrail(), s} }

func (t auditTrail) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := t.AuditTrail.Sweep(ctx, before, limit)
	if err == nil && n < limit {
		err = t.s.emptyLog(ctx)
	}
	return n, err
}

// emptyLog moves the write-ahead log into the database file and truncates it, so that deleted data is in neither. It
// does not wait for other connections: if one prevents it, the next call does it.
func (s *Store) emptyLog(ctx context.Context) error {
	const op = "empty the write-ahead log"
	if s.writer == nil {
		return fmt.Errorf("sqlite: %s: %w", op, storage.ErrReadOnly)
	}
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	c, err := s.writer.Conn(ctx)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer func() { _ = c.Close() }() // returns it to the pool
	if _, err = c.ExecContext(ctx, "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)"); busy(err) {
		err = nil
	}
	_, after := c.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = 5000")
	return translate(ctx, op, errors.Join(err, after))
}
