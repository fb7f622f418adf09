// Package django reads the users of a Django project, and SimpleJWT's token blacklist, from a fixture of manage.py
// dumpdata or from the project's database. It writes nothing there, and memory does not grow with the number of users.
package django

import (
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
	_ "time/tzdata" // zones also on a machine without a tz database

	"roster/ports/outbound"
)

// Options describes the source.
type Options struct {
	// Source is the path of a fixture (JSON, JSON lines, either gzipped), or a database: sqlite:PATH,
	// the path of an SQLite database, postgres://... (or postgresql://...).
	Source string

	UserModel string            // app.Model; "" for the only one
	Table     string            // in a database; "" for the table of UserModel, or the only one
	Fields    map[string]string // member -> the field that holds it, "" for none; see Members

	// TimeZone is the zone of dates without an offset, as in the tz database; "" is UTC. With USE_TZ = False, Django
	// stores dates in its TIME_ZONE.
	TimeZone string

	zone *time.Location // of TimeZone
}

// Source is an open source. Its methods may be called repeatedly.
type Source interface {
	outbound.UserSource
	Describe() string // the model or table
	Note() string     // how the source is read, where that is unusual, or ""
	Close(ctx context.Context) error
}

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

// Open opens a source and finds the users in it. It reads a fixture to its end, so that a damaged one is not imported
// in part.
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
	isDatabase, err := isSQLite(o.Source)
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

// isSQLite reports whether the file at path is an SQLite database, by its header.
func isSQLite(path string) (bool, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	const header = "SQLite format 3\x00"
	head, err := io.ReadAll(io.LimitReader(f, int64(len(header))))
	return string(head) == header, err
}

// field returns the name of the field that holds a member, or "".
func (o Options) field(member string) string {
	if name, mapped := o.Fields[member]; mapped {
		return name
	}
	return member
}

// isUserModel reports whether a model has the fields of Django's AbstractBaseUser: a password and a last_login.
func (o Options) isUserModel(has func(field string) bool) bool {
	for _, m := range []string{memberPassword, memberLastLogin} {
		if name := o.field(m); name == "" || !has(name) {
			return false
		}
	}
	return true
}

// choose returns the only candidate or, of several, the only one that is named user (others may hold its history). what
// is "model" or "table".
func choose(what, flag string, candidates []string) (string, error) {
	var named []string
	for _, c := range candidates {
		if strings.HasSuffix(c, ".user") || strings.HasSuffix(c, "_user") {
			named = append(named, c)
		}
	}
	switch {
	case len(candidates) == 0:
		return "", fmt.Errorf("found no user %s with the fields password and last_login; name it with --%s, and its fields with --field",
			what, flag)
	case len(candidates) == 1:
		return candidates[0], nil
	case len(named) == 1:
		return named[0], nil
	}
	slices.Sort(candidates)
	return "", fmt.Errorf("found several user %ss: %s; name one with --%s", what, strings.Join(candidates, ", "), flag)
}
