// Package django reads the users of a Django project, and SimpleJWT's token blacklist, out of a
// fixture as manage.py dumpdata writes it, or out of the project's database. Nothing is ever written
// there, and memory does not grow with the number of users.
package django

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones also where the machine knows none

	"roster/ports/outbound"
)

// Options says what to read.
type Options struct {
	// Source is the path of a fixture (JSON, JSON lines, either gzipped), or a database: sqlite:PATH,
	// the path of an SQLite database, postgres://... (or postgresql://...).
	Source string

	UserModel string            // app.Model; "" finds it
	Table     string            // of a database: the model's table; "" is that of the model, or found
	Fields    map[string]string // member -> the field that holds it, "" for none; see Members

	// TimeZone is where dates of users without an offset are from, as the tz database names it; "" is UTC.
	// Django keeps the time of its own TIME_ZONE there with USE_TZ = False.
	TimeZone string

	zone *time.Location // found by Open
}

// Source is an open source. Its methods may be called again and again.
type Source interface {
	outbound.UserSource
	// Describe says what was found, for people.
	Describe() string
	// Note says how the source is read where that is not the usual way, "" otherwise.
	Note() string
	Close(ctx context.Context) error
}

// Note implements Source.
func (reader) Note() string { return "" }

// The members of a user that a field map can name.
const (
	memberID        = "id"
	memberEmail     = "email"
	memberUsername  = "username"
	memberFirstName = "first_name"
	memberLastName  = "last_name"
	memberActive    = "is_active"
	memberStaff     = "is_staff"
	memberSuperuser = "is_superuser"
	memberPassword  = "password"
	memberJoined    = "date_joined"
	memberLastLogin = "last_login"
)

// Members returns the names that Options.Fields may map: those of Django's AbstractUser.
func Members() []string {
	return []string{
		memberID, memberEmail, memberUsername, memberFirstName, memberLastName, memberActive, memberStaff,
		memberSuperuser, memberPassword, memberJoined, memberLastLogin,
	}
}

// sqliteMagic is how every SQLite database begins.
const sqliteMagic = "SQLite format 3\x00"

// Open opens a source and looks at all that can be seen before the first user: a fixture is read once
// to its end, so that a damaged one is found before anything is imported.
func Open(ctx context.Context, o Options) (_ Source, err error) {
	if o.zone, err = time.LoadLocation(o.TimeZone); err != nil {
		return nil, fmt.Errorf("there is no time zone %q; names are such as Europe/Berlin", o.TimeZone)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
		if !slices.Contains(Members(), name) {
			return nil, fmt.Errorf("there is no member %q to map; there are %s", name, strings.Join(Members(), ", "))
		}
	}
	if o.UserModel != "" && !strings.Contains(o.UserModel, ".") {
		return nil, fmt.Errorf("user model %q: write app.Model, such as auth.User", o.UserModel)
	}
	scheme, rest, _ := strings.Cut(o.Source, ":")
	switch {
	case scheme == "sqlite":
		return openSQLite(ctx, strings.TrimPrefix(rest, "//"), o)
	case (scheme == "postgres" || scheme == "postgresql") && strings.HasPrefix(rest, "//"):
		return openPostgres(ctx, o)
	}
	if u, err := url.Parse(o.Source); err == nil && u.Host != "" {
		return nil, fmt.Errorf("a source cannot be read by %s: there are files, sqlite:PATH and postgres://", u.Scheme)
	}
	isDatabase, err := beginsWith(o.Source, sqliteMagic)
	switch {
	case err != nil:
		return nil, err
	case isDatabase:
		return openSQLite(ctx, o.Source, o)
	case o.Table != "":
		return nil, errors.New("a fixture has no tables; give the model (app.Model) instead")
	}
	return openFixture(ctx, o)
}

func beginsWith(path, magic string) (bool, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false, err
	}
	return bytes.Equal(head[:n], []byte(magic)), nil
}

// field returns the name under which a source keeps a member, "" when it does not.
func (o Options) field(member string) string {
	if name, mapped := o.Fields[member]; mapped {
		return name
	}
	return member
}

// taken reports whether a field holds a member.
func (o Options) taken(field string) bool {
	return slices.ContainsFunc(Members(), func(m string) bool { return o.field(m) == field })
}

// isUserModel reports whether fields are those of a user: every model that descends from Django's
// AbstractBaseUser has a password and a last_login.
func (o Options) isUserModel(has func(field string) bool) bool {
	for _, m := range []string{memberPassword, memberLastLogin} {
		if name := o.field(m); name == "" || !has(name) {
			return false
		}
	}
	return true
}

// choose returns the one candidate, of several the only one that is called user (others keep its
// history, say), or an error that lists them. what is "model" or "table".
func choose(what, flag string, candidates []string) (string, error) {
	var named []string
	for _, c := range candidates {
		if strings.HasSuffix(c, ".user") || strings.HasSuffix(c, "_user") {
			named = append(named, c)
		}
	}
	switch {
	case len(candidates) == 0:
		return "", fmt.Errorf("found no user %s: none has the fields password and last_login; name it with --%s, and its fields with --field", what, flag)
	case len(candidates) == 1:
		return candidates[0], nil
	case len(named) == 1:
		return named[0], nil
	}
	slices.Sort(candidates)
	return "", fmt.Errorf("found several user %ss: %s; name one with --%s", what, strings.Join(candidates, ", "), flag)
}
