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
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"roster/domain/user"
	"roster/ports/outbound"
)

// maxObject is the maximum size in bytes of an object that is imported.
const maxObject = 8 << 20

// fixture is a file of objects: a JSON array, which dumpdata writes, or one object after the other, which its format
// jsonl writes. Either may be gzipped.
type fixture struct {
	o           Options
	model       string
	users       int64
	lastID      int64 // highest integer id of a user
	revocations int64
	emails      addresses
	revoked     map[fingerprint]time.Time // primary key of an outstanding token -> time of its revocation
}

// fingerprint is a digest of a primary key, which can have any length.
type fingerprint [16]byte

func fingerprintOf(key jsontext.Value) fingerprint {
	sum := sha256.Sum256(key)
	return fingerprint(sum[:16])
}

// modelSummary describes the objects of one model.
type modelSummary struct {
	count  int64
	lastID int64
	isUser bool // the first object has the fields of a user
}

func openFixture(ctx context.Context, o Options) (Source, error) {
	f := &fixture{o: o, emails: newAddresses(), revoked: map[fingerprint]time.Time{}}
	models := map[string]*modelSummary{}
	if err := f.each(ctx, func(_ string, x object) error { f.scan(models, x); return nil }); err != nil {
		return nil, err
	}
	if f.model = strings.ToLower(o.UserModel); f.model == "" {
		var candidates []string
		for name, m := range models {
			if m.isUser {
				candidates = append(candidates, name)
			}
		}
		var err error
		if f.model, err = choose("model", "user-model", candidates); err != nil {
			return nil, err
		}
	}
	m, ok := models[f.model]
	if !ok {
		return nil, fmt.Errorf("the fixture has no %s; it has %s", f.model, strings.Join(slices.Sorted(maps.Keys(models)), ", "))
	}
	f.users, f.lastID = m.count, max(f.lastID, m.lastID)
	return f, nil
}

// scan adds an object to the summary of its model, and to what is known of the blacklist.
func (f *fixture) scan(models map[string]*modelSummary, x object) {
	m := models[x.Model]
	if m == nil {
		m = &modelSummary{isUser: f.o.isUserModel(func(name string) bool { _, ok := x.Fields[name]; return ok })}
		models[x.Model] = m
	}
	m.count++
	id, _ := idOf(x.PK)
	m.lastID = max(m.lastID, importableID(id))
	switch x.Model {
	case emailModel:
		f.emails.add(x)
	case outstandingModel: // also of deleted users
		f.lastID = max(f.lastID, importableID(x.Fields.revokedToken("", time.Time{}).User))
	case blacklistedModel:
		f.revocations++
		if at, err := x.Fields.revocation(); err == nil {
			f.revoked[fingerprintOf(x.Fields["token"])] = at
		}
	}
}

// importableID returns an integer id that can be imported, and 0 for any other id.
func importableID(id user.ID) int64 {
	if n, ok := id.Integer(); ok && n <= user.LastImportedID {
		return n
	}
	return 0
}

func (f *fixture) Describe() string { return "the fixture's " + f.model }

func (f *fixture) Note() string { return "" }

func (f *fixture) Close(context.Context) error { return nil }

func (f *fixture) Count(context.Context) (users, tokens int64, err error) {
	return f.users, f.revocations, nil
}

func (f *fixture) LastUserID(context.Context) (int64, error) { return f.lastID, nil }

func (f *fixture) Users(ctx context.Context, visit func(outbound.SourceUser) error) error {
	return f.each(ctx, func(place string, x object) error {
		switch {
		case x.Model != f.model:
			return nil
		case len(x.raw) > maxObject:
			id, _ := idOf(x.PK)
			return visit(malformed(place, id, fmt.Sprintf("the row has more than %d MiB; the file of rejected rows is without it", maxObject>>20)))
		}
		x.raw = bytes.Clone(x.raw)
		if f.emails.mark(x.PK, f.o.address(x.Fields), x.Fields) {
			if raw, err := x.encoded(); err == nil {
				x.raw = raw
			}
		}
		return visit(f.o.user(place, x))
	})
}

// RevokedTokens visits the revoked tokens, and then, without an id, each revocation whose token the fixture lacks.
func (f *fixture) RevokedTokens(ctx context.Context, visit func(outbound.RevokedToken) error) error {
	found := map[fingerprint]bool{}
	err := f.each(ctx, func(place string, x object) error {
		key := fingerprintOf(x.PK)
		at, revoked := f.revoked[key]
		if x.Model != outstandingModel || !revoked {
			return nil
		}
		found[key] = true
		return visit(x.Fields.revokedToken(place, at))
	})
	if err != nil || len(found) == int(f.revocations) {
		return err
	}
	return f.each(ctx, func(place string, x object) error {
		if x.Model != blacklistedModel {
			return nil
		}
		if _, err := x.Fields.revocation(); err == nil && found[fingerprintOf(x.Fields["token"])] {
			return nil
		}
		return visit(outbound.RevokedToken{Location: place})
	})
}

// each calls visit with each object of the file. x.raw is valid only during the call.
func (f *fixture) each(ctx context.Context, visit func(place string, x object) error) (err error) {
	file, err := os.Open(f.o.Source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in, err := openText(file)
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
			_, _ = d.ReadToken()
			if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("the fixture goes on after its end, object %d", n-1)
			}
			return nil
		}
		x, err := readObject(d)
		if errors.Is(err, io.EOF) && !array {
			return nil
		}
		place := fmt.Sprintf("object %d", n)
		if err != nil {
			return fmt.Errorf("the fixture, %s: %w", place, err)
		}
		if err := visit(place, x); err != nil {
			return err
		}
	}
}

func readObject(d *jsontext.Decoder) (x object, err error) {
	x.raw, err = d.ReadValue()
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) {
		return x, fmt.Errorf("not valid JSON at byte %d", syntactic.ByteOffset)
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return x, errors.New("the file breaks off")
	case err != nil:
		return x, err
	case !utf8.Valid(x.raw):
		return x, errors.New("not in UTF-8, but in another encoding, such as windows-1252; " +
			"write it with dumpdata -o FILE, or convert it: iconv -f WINDOWS-1252 -t UTF-8")
	case json.Unmarshal(x.raw, &x, lenient) != nil || x.Model == "" || x.Fields == nil:
		return x, errors.New("not an object of a fixture, which has a model and fields")
	}
	x.Model = strings.ToLower(x.Model) // Django ignores the case of labels
	return x, nil
}
