package django

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/ports/outbound"
)

// lenient takes what Python's json writes: it does not refuse lone surrogates.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// fixture is a file of objects: a JSON array as dumpdata writes it, or one object after the other as
// its format jsonl does; either may be gzipped.
type fixture struct {
	reader
	path        string
	model       string
	users       int64
	last        int64                // highest counted id seen
	blacklisted map[string]time.Time // key of an outstanding token -> when it was blacklisted
}

// seen is what a first look at a model tells.
type seen struct {
	count int64
	last  int64 // highest counted key
	users bool  // its fields are those of a user
}

func openFixture(ctx context.Context, o Options) (Source, error) {
	f := &fixture{reader: reader{o}, path: o.Source, blacklisted: map[string]time.Time{}}
	models := map[string]*seen{}
	err := f.each(ctx, func(_ string, _ []byte, x object) error { return f.look(models, x) })
	if err != nil {
		return nil, err
	}
	if f.model = strings.ToLower(o.UserModel); f.model == "" {
		var candidates []string
		for name, s := range models {
			if s.users {
				candidates = append(candidates, name)
			}
		}
		if f.model, err = choose("model", "user-model", candidates); err != nil {
			return nil, err
		}
	}
	s, there := models[f.model]
	if !there {
		return nil, fmt.Errorf("the fixture has no %s; it has %s", f.model, strings.Join(slices.Sorted(maps.Keys(models)), ", "))
	}
	f.users, f.last = s.count, max(f.last, s.last)
	return f, nil
}

// look notes what an object tells about the fixture as a whole.
func (f *fixture) look(models map[string]*seen, x object) error {
	s := models[x.Model]
	if s == nil {
		var fields map[string]jsontext.Value
		err := json.Unmarshal(x.Fields, &fields, lenient)
		s = &seen{users: err == nil && f.o.isUserModel(func(name string) bool { _, has := fields[name]; return has })}
		models[x.Model] = s
	}
	s.count++
	if id, _ := idOf(x.PK); id != "" {
		if n, counted := id.Integer(); counted {
			s.last = max(s.last, n)
		}
	}
	switch x.Model {
	case outstandingModel:
		if t, err := readOutstanding(x); err == nil {
			n, _ := t.owner().Integer()
			f.last = max(f.last, n) // also of users who are gone
		}
	case blacklistedModel:
		b, err := readBlacklisted(x)
		if err != nil {
			return fmt.Errorf("%s %s: %w", x.Model, x.PK, err)
		}
		f.blacklisted[b.token] = b.at
	}
	return nil
}

// Describe implements Source.
func (f *fixture) Describe() string { return "the fixture's " + f.model }

// Close implements Source. Nothing is open between reads.
func (f *fixture) Close(context.Context) error { return nil }

// Count implements outbound.UserSource.
func (f *fixture) Count(context.Context) (users, tokens int64, err error) {
	return f.users, int64(len(f.blacklisted)), nil
}

// LastUserID implements outbound.UserSource.
func (f *fixture) LastUserID(context.Context) (int64, error) { return f.last, nil }

// Users implements outbound.UserSource.
func (f *fixture) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	return f.each(ctx, func(place string, raw []byte, x object) error {
		if x.Model != f.model {
			return nil
		}
		return visit(f.user(place, bytes.Clone(raw), x))
	})
}

// RevokedTokens implements outbound.UserSource.
func (f *fixture) RevokedTokens(ctx context.Context, visit func(outbound.RevokedToken) error) error {
	return f.each(ctx, func(place string, _ []byte, x object) error {
		at, listed := f.blacklisted[string(x.PK)]
		if x.Model != outstandingModel || !listed {
			return nil
		}
		t, err := readOutstanding(x)
		if err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
		return visit(t.revoked(place, at))
	})
}

// each calls visit with each object of the file. raw is only good during the call.
func (f *fixture) each(ctx context.Context, visit func(place string, raw []byte, x object) error) (err error) {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in, err := text(file)
	if err != nil {
		return err
	}
	d := jsontext.NewDecoder(in, lenient)
	array := d.PeekKind() == '['
	if array {
		_, _ = d.ReadToken()
	}
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if array && d.PeekKind() == ']' {
			if _, err := d.ReadToken(); err != nil {
				return damaged(n, err)
			}
			if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("the fixture goes on after its end, object %d", n-1)
			}
			return nil
		}
		raw, err := d.ReadValue()
		if !array && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(n, err)
		}
		var x object
		if err := json.Unmarshal(raw, &x, lenient); err != nil || x.Model == "" || x.Fields == nil {
			return fmt.Errorf("object %d is none of a fixture: it must have a model and fields", n)
		}
		if err := visit(fmt.Sprintf("object %d", n), raw, x); err != nil {
			return err
		}
	}
}

// damaged says where a fixture breaks off or is no JSON; the decoder's text could tell a hash.
func damaged(n int, err error) error {
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the fixture is no JSON at byte %d, object %d", e.ByteOffset, n)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("the fixture breaks off in object %d", n)
	}
	return fmt.Errorf("read object %d: %w", n, err)
}

// text returns what a file says: unpacked, and without a byte order mark.
func text(file io.Reader) (io.Reader, error) {
	const ahead = 1 << 16
	in := bufio.NewReaderSize(file, ahead)
	if head, _ := in.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReaderSize(z, ahead)
	}
	switch head, _ := in.Peek(3); {
	case strings.HasPrefix(string(head), "\xff\xfe"), strings.HasPrefix(string(head), "\xfe\xff"):
		return nil, errors.New("the fixture is in UTF-16, as PowerShell writes what is redirected; let dumpdata write it with -o FILE")
	case string(head) == "\xef\xbb\xbf":
		_, _ = in.Discard(len(head))
	}
	return in, nil
}
