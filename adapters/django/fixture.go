package django

import (
	"bytes"
	"context"
	"crypto/sha256"
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

	"roster/domain/user"
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
	last        int64 // highest counted id seen
	revocations int64
	blacklisted map[fingerprint]time.Time // key of an outstanding token -> when it was blacklisted
}

// fingerprint stands for the key of a token, however long that is.
type fingerprint [16]byte

func fingerprintOf(key []byte) fingerprint {
	sum := sha256.Sum256(key)
	return fingerprint(sum[:16])
}

// seen is what a first look at a model tells.
type seen struct {
	count  int64
	last   int64 // highest counted key
	looked bool  // at the fields of one of its objects
	users  bool  // they are those of a user
}

func openFixture(ctx context.Context, o Options) (Source, error) {
	f := &fixture{reader: reader{o}, path: o.Source, blacklisted: map[fingerprint]time.Time{}}
	models := map[string]*seen{}
	err := f.each(ctx, func(_ string, x object) error { f.look(models, x); return nil })
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
func (f *fixture) look(models map[string]*seen, x object) {
	s := models[x.Model]
	if s == nil {
		s = &seen{}
		models[x.Model] = s
	}
	if !s.looked && x.raw != nil {
		fields, err := f.read(x.Fields)
		s.looked = true
		s.users = err == nil && f.o.isUserModel(func(name string) bool { _, has := fields[name]; return has })
	}
	s.count++
	id, _ := idOf(x.PK)
	s.last = max(s.last, counted(id))
	switch x.Model {
	case outstandingModel:
		if t, err := readOutstanding(x); err == nil {
			f.last = max(f.last, counted(t.owner())) // also of deleted users
		}
	case blacklistedModel:
		f.revocations++
		if b, err := readBlacklisted(x); err == nil {
			f.blacklisted[fingerprintOf(b.token)] = b.at
		}
	}
}

// counted returns the number of a counted id that can be taken over; 0 of any other.
func counted(id user.ID) int64 {
	if n, ok := id.Integer(); ok && n <= user.LastImportedID {
		return n
	}
	return 0
}

// Describe implements Source.
func (f *fixture) Describe() string { return "the fixture's " + f.model }

// Close implements Source. Nothing is open between reads.
func (f *fixture) Close(context.Context) error { return nil }

// Count implements outbound.UserSource.
func (f *fixture) Count(context.Context) (users, tokens int64, err error) {
	return f.users, f.revocations, nil
}

// LastUserID implements outbound.UserSource.
func (f *fixture) LastUserID(context.Context) (int64, error) { return f.last, nil }

// Users implements outbound.UserSource.
func (f *fixture) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	return f.each(ctx, func(place string, x object) error {
		switch {
		case x.Model != f.model:
			return nil
		case x.raw == nil:
			id, _ := idOf(x.PK)
			fault := outbound.RowFault{Kind: outbound.RowMalformed, Text: fmt.Sprintf("the row has more than %d MiB; the file of rejected rows is without it", maxObject>>20)}
			return visit(outbound.SourceUser{Location: place, ID: id, Fault: fault})
		}
		return visit(f.user(place, bytes.Clone(x.raw), x))
	})
}

// RevokedTokens implements outbound.UserSource.
func (f *fixture) RevokedTokens(ctx context.Context, visit func(outbound.RevokedToken) error) error {
	there := map[fingerprint]bool{} // the blacklisted tokens that the fixture holds
	err := f.each(ctx, func(place string, x object) error {
		key := fingerprintOf(x.PK)
		at, listed := f.blacklisted[key]
		if x.Model != outstandingModel || !listed {
			return nil
		}
		there[key] = true
		t, err := readOutstanding(x)
		if err != nil {
			return visit(outbound.RevokedToken{Location: place})
		}
		return visit(t.revoked(place, at))
	})
	if err != nil || len(there) == int(f.revocations) {
		return err
	}
	return f.each(ctx, func(place string, x object) error {
		if x.Model != blacklistedModel {
			return nil
		}
		if b, err := readBlacklisted(x); err == nil && there[fingerprintOf(b.token)] {
			return nil
		}
		return visit(outbound.RevokedToken{Location: place})
	})
}

// each calls visit with each object of the file. What it holds is only good during the call.
func (f *fixture) each(ctx context.Context, visit func(place string, x object) error) (err error) {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in, err := text(file)
	if err != nil {
		return err
	}
	o := objects{in: in}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, whole, err := o.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var x object
		if whole {
			x.raw, err = raw, json.Unmarshal(raw, &x, lenient)
		} else {
			err = x.begin(raw)
		}
		if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
			return fmt.Errorf("the fixture is no JSON at byte %d, object %d", o.start+e.ByteOffset, o.n)
		}
		if err != nil || x.Model == "" || len(x.Model) > maxLabel || whole && x.Fields == nil {
			return fmt.Errorf("object %d is none of a fixture: it must have a model and fields", o.n)
		}
		x.Model = strings.ToLower(x.Model) // labels are the same whatever their case
		if err := visit(fmt.Sprintf("object %d", o.n), x); err != nil {
			return err
		}
	}
}
