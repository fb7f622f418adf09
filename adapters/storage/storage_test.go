package storage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/test/support/testenv"
)

func TestEnded(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	ahead, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		want error
	}{
		{"without a deadline", t.Context(), nil},
		{"before its deadline", ahead, nil},
		{"canceled", canceled, context.Canceled},
		{"past its deadline, its timer late", testenv.LateContext(t), context.DeadlineExceeded},
	} {
		if err := storage.Ended(c.ctx); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}
