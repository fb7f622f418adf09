package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"roster/adapters/storage/sqltable"
)

// TestSoon shows that a write of mode Soon does not wait for the disk, and that later durable writes do, whatever the
// result of the former.
func TestSoon(t *testing.T) {
	s := opened(t)
	synchronous := func(q sqltable.Querier) (mode int) {
		t.Helper()
		if err := q.QueryRow(t.Context(), "PRAGMA synchronous").Scan(&mode); err != nil {
			t.Error(err)
		}
		return mode
	}
	const normal, full = 1, 2
	for name, f := range map[string]func(ctx context.Context, end func(), q sqltable.Querier) error{
		"succeeds": func(context.Context, func(), sqltable.Querier) error { return nil },
		"fails":    func(context.Context, func(), sqltable.Querier) error { return sql.ErrNoRows },
		"loses its context": func(ctx context.Context, end func(), q sqltable.Querier) error {
			end()
			_, err := q.Exec(ctx, "DELETE FROM attempts")
			return err
		},
		"loses its context at the end": func(_ context.Context, end func(), _ sqltable.Querier) error {
			end()
			return nil
		},
		"panics": func(context.Context, func(), sqltable.Querier) error { panic("defect") },
	} {
		func() {
			defer func() { _ = recover() }()
			ctx, end := context.WithCancel(t.Context())
			defer end()
			_ = s.Write(ctx, name, sqltable.Soon, func(ctx context.Context, q sqltable.Querier) error {
				if mode := synchronous(q); mode != normal {
					t.Errorf("%s: during the write synchronous is %d, want %d", name, mode, normal)
				}
				return f(ctx, end, q)
			})
		}()
		err := s.Write(t.Context(), name, sqltable.Durable, func(_ context.Context, q sqltable.Querier) error {
			if mode := synchronous(q); mode != full {
				t.Errorf("%s: afterwards synchronous is %d, want %d", name, mode, full)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: the next write: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ended, "x", sqltable.Soon, func(context.Context, sqltable.Querier) error { t.Error("it ran"); return nil }); err == nil {
		t.Error("under an ended context: no error")
	}
}

// TestBulk shows that the settings for many rows apply to bulk writes only.
func TestBulk(t *testing.T) {
	s := opened(t)
	want := func(what string, q sqltable.Querier, cache, checkpoint int) {
		t.Helper()
		for setting, want := range map[string]int{"cache_size": cache, "wal_autocheckpoint": checkpoint, "synchronous": 2} {
			var got int
			if err := q.QueryRow(t.Context(), "PRAGMA "+setting).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s is %d, %v; want %d", what, setting, got, err, want)
			}
		}
	}
	for _, failure := range []error{nil, sql.ErrNoRows} {
		err := s.Write(t.Context(), "x", sqltable.Bulk, func(_ context.Context, q sqltable.Querier) error {
			want("during the write", q, -65536, 16384)
			return failure
		})
		if !errors.Is(err, failure) {
			t.Errorf("Write: %v, want %v", err, failure)
		}
		if err := s.Write(t.Context(), "x", sqltable.Durable, func(_ context.Context, q sqltable.Querier) error { want("afterwards", q, -2000, 1000); return nil }); err != nil {
			t.Error(err)
		}
	}
}
