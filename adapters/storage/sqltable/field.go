package sqltable

import (
	"fmt"
	"time"

	"roster/domain/user"
)

// Type is the type of a column.
type Type int

// The types of columns.
const (
	Text Type = iota
	Bigint
	Boolean
)

// Column is a column of a table.
type Column struct {
	Name string
	Type Type
}

// field maps one member of the state S of an aggregate to a column.
type field[S any] struct {
	Column
	value func(*S) any                 // as stored
	into  func(s *S, text *string) any // where a stored value is scanned into: the member, or text
	take  func(s *S, text string)      // sets the member by text; nil when into is the member
	check func(*S) error               // fails when the member cannot be stored; nil when it can
	lossy bool                         // characters that cannot be stored are replaced
}

// text is a text that is stored unchanged.
func text[S any](name string, at func(*S) *string) field[S] {
	return field[S]{
		Column: Column{name, Text},
		value:  func(s *S) any { return *at(s) },
		into:   func(s *S, _ *string) any { return at(s) },
	}
}

// clientText is a text from a client, of any bytes. Characters that cannot be stored are replaced.
func clientText[S any](name string, at func(*S) *string) field[S] {
	f := text(name, at)
	f.lossy = true
	return f
}

// encoded is a value that is stored as a text.
func encoded[S, V any](name string, at func(*S) *V, encode func(V) string, decode func(string) V) field[S] {
	return field[S]{
		Column: Column{name, Text},
		value:  func(s *S) any { return encode(*at(s)) },
		into:   func(_ *S, text *string) any { return text },
		take:   func(s *S, text string) { *at(s) = decode(text) },
	}
}

// userKey is the id of a user, stored so that the order of bytes is the order of ids.
func userKey[S any](name string, at func(*S) *user.ID) field[S] {
	f := encoded(name, at, user.ID.SortKey, user.IDFromSortKey)
	f.check = func(s *S) error { _, err := at(s).Stored(); return err }
	return f
}

// derived is a text that is stored for queries alone.
func derived[S any](name string, of func(S) string) field[S] {
	return field[S]{Column: Column{name, Text}, value: func(s *S) any { return of(*s) }}
}

// number is an integer.
func number[S any, N int | int64](name string, at func(*S) *N) field[S] {
	return field[S]{
		Column: Column{name, Bigint},
		value:  func(s *S) any { return int64(*at(s)) },
		into:   func(s *S, _ *string) any { return at(s) },
	}
}

func flag[S any](name string, at func(*S) *bool) field[S] {
	return field[S]{
		Column: Column{name, Boolean},
		value:  func(s *S) any { return *at(s) },
		into:   func(s *S, _ *string) any { return at(s) },
	}
}

// millis is a time in Unix milliseconds, NULL for the zero time.
func millis[S any](name string, at func(*S) *time.Time) field[S] {
	return instant(name, at, time.Time.UnixMilli, func(s *S) any { return (*milliseconds)(at(s)) })
}

// micros is a time in Unix microseconds, NULL for the zero time.
func micros[S any](name string, at func(*S) *time.Time) field[S] {
	return instant(name, at, time.Time.UnixMicro, func(s *S) any { return (*microseconds)(at(s)) })
}

func instant[S any](name string, at func(*S) *time.Time, unit func(time.Time) int64, into func(*S) any) field[S] {
	return field[S]{
		Column: Column{name, Bigint},
		value: func(s *S) any {
			if at(s).IsZero() {
				return nil
			}
			return unit(*at(s))
		},
		into: func(s *S, _ *string) any { return into(s) },
	}
}

type (
	milliseconds time.Time
	microseconds time.Time
)

func (t *milliseconds) Scan(v any) error { return scanTime((*time.Time)(t), v, time.UnixMilli) }

func (t *microseconds) Scan(v any) error { return scanTime((*time.Time)(t), v, time.UnixMicro) }

func scanTime(t *time.Time, v any, unit func(int64) time.Time) error {
	switch v := v.(type) {
	case nil:
		*t = time.Time{}
	case int64:
		*t = unit(v).UTC()
	default:
		return fmt.Errorf("a time is no number but a %T", v)
	}
	return nil
}
