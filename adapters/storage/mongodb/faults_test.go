package mongodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"roster/domain/fault"
	"roster/test/support/testenv"
)

func TestTranslate(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"not primary", mongo.CommandError{Code: 10107}, fault.Unavailable},
		{"stepped down, on a write", mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: 189}}}, fault.Unavailable},
		{"no majority in time", mongo.WriteException{WriteConcernError: &mongo.WriteConcernError{Code: 64}}, fault.Unavailable},
		{"cursor lost", mongo.CommandError{Code: 43}, fault.Unavailable},
		{"index dropped during a query", mongo.CommandError{Code: 175}, fault.Unavailable},
		{"cursor ended by an operator", mongo.CommandError{Code: 237}, fault.Unavailable},
		{"command ended by an operator", mongo.CommandError{Code: 11601}, fault.Unavailable},
		{"chunks moved", mongo.CommandError{Code: 150}, fault.Unavailable},
		{"database moved", mongo.CommandError{Code: 249}, fault.Unavailable},
		{"another operation of the kind", mongo.CommandError{Code: 117}, fault.Unavailable},
		{"an index is being built", mongo.CommandError{Code: 12587}, fault.Unavailable},
		{"sort without memory", mongo.CommandError{Code: 292}, fault.Unavailable},
		{"network", mongo.CommandError{Labels: []string{"NetworkError"}}, fault.Unavailable},
		{"overloaded", mongo.CommandError{Code: 1, Labels: []string{"SystemOverloadedError"}}, fault.Unavailable},
		{"no server", topology.ServerSelectionError{Wrapped: errors.New("none")}, fault.Unavailable},
		{"no connection", topology.ConnectionError{Wrapped: errors.New("refused")}, fault.Unavailable},
		{"pool full", topology.WaitQueueTimeoutError{}, fault.Unavailable},
		{"pool closed", topology.ErrPoolClosed, fault.Unavailable},
		{"disconnected", mongo.ErrClientDisconnected, fault.Unavailable},
		{"time limit of the driver's", fmt.Errorf("x: %w", context.DeadlineExceeded), fault.Unavailable},
		{"bad command", mongo.CommandError{Code: 2}, fault.Internal},
		{"not allowed", mongo.CommandError{Code: 13}, fault.Internal},
		{"text proves nothing", mongo.CommandError{Code: 8, Message: "not primary, E11000 duplicate key, timeout"}, fault.Internal},
		{"no document", mongo.ErrNoDocuments, fault.Internal},
		{"decoding", errors.New("cannot decode"), fault.Internal},
	} {
		got := translate(t.Context(), "op", c.err)
		if fault.KindOf(got) != c.want || !strings.Contains(got.Error(), c.err.Error()) {
			t.Errorf("%s: got %v, want kind %v", c.name, got, c.want)
		}
	}
}

func TestMayReadAgain(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{mongo.CommandError{Code: 10107}, true},
		{mongo.CommandError{Labels: []string{"NetworkError"}}, true},
		{mongo.CommandError{Labels: []string{"NetworkError"}, Wrapped: context.DeadlineExceeded}, false},
		{mongo.CommandError{Code: 292}, false},
		{mongo.CommandError{Code: 462, Labels: []string{"SystemOverloadedError"}}, false},
		{mongo.CommandError{Code: 2}, false},
		{nil, false},
	} {
		if got := mayReadAgain(c.err); got != c.want {
			t.Errorf("%v: got %t", c.err, got)
		}
	}
}

func TestTranslateEndedContext(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	slow, end := context.WithCancelCause(t.Context())
	end(errSlow)
	err := mongo.CommandError{Labels: []string{"NetworkError"}}
	if got := translate(canceled, "op", err); !errors.Is(got, context.Canceled) || fault.KindOf(got) == fault.Unavailable {
		t.Errorf("canceled by the caller: got %v", got)
	}
	if got := translate(slow, "op", err); fault.KindOf(got) != fault.Unavailable {
		t.Errorf("our own limit: got %v, want fault.Unavailable", got)
	}
	for _, err := range []error{err, mongo.CommandError{Code: maxTimeMSExpired}, fmt.Errorf("x: %w", driver.ErrDeadlineWouldBeExceeded)} {
		if got := translate(testenv.LateContext(t), "op", err); !errors.Is(got, context.DeadlineExceeded) || fault.KindOf(got) == fault.Unavailable {
			t.Errorf("%v, after the caller's deadline: got %v", err, got)
		}
	}
	// The server and the driver allow for the way back, and end a command before the context does.
	for _, err := range []error{mongo.CommandError{Code: maxTimeMSExpired}, driver.ErrDeadlineWouldBeExceeded} {
		soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if got := translate(soon, "op", err); !errors.Is(got, context.DeadlineExceeded) || fault.KindOf(got) == fault.Unavailable {
			t.Errorf("%v, just before the caller's deadline: got %v", err, got)
		}
		cancel()
		far, cancel := context.WithTimeout(t.Context(), time.Hour)
		if got := translate(far, "op", err); fault.KindOf(got) != fault.Unavailable {
			t.Errorf("%v, long before the caller's deadline: got %v, want fault.Unavailable", err, got)
		}
		cancel()
	}
}

func TestDuplicate(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: 11000}}}, true},
		{fmt.Errorf("x: %w", mongo.CommandError{Code: 11000}), true},
		{mongo.CommandError{Code: 1, Message: "E11000 duplicate key"}, false},
		{errors.New("E11000"), false},
		{nil, false},
	} {
		if got := duplicate(c.err); got != c.want {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
}

func TestOnlyDuplicates(t *testing.T) {
	errs := func(codes ...int) (out []mongo.BulkWriteError) {
		for _, c := range codes {
			out = append(out, mongo.BulkWriteError{WriteError: mongo.WriteError{Code: c}})
		}
		return out
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{mongo.BulkWriteException{WriteErrors: errs(11000)}, true},
		{fmt.Errorf("x: %w", mongo.BulkWriteException{WriteErrors: errs(11000, 11000)}), true},
		{mongo.BulkWriteException{WriteErrors: errs(11000, 14031)}, false}, // and the disk is full
		{mongo.BulkWriteException{WriteErrors: errs(11000), WriteConcernError: &mongo.WriteConcernError{Code: 64}}, false},
		{mongo.BulkWriteException{WriteConcernError: &mongo.WriteConcernError{Code: 64}}, false},
		{mongo.BulkWriteException{}, false},
		{mongo.CommandError{Code: 11000}, false},
		{nil, false},
	} {
		if got := onlyDuplicates(c.err); got != c.want {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
}
