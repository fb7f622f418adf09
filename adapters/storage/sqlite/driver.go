package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"roster/adapters/storage"
)

// Driver opens sqlite: URLs: "sqlite:" is roster.db in the data directory, "sqlite:PATH" and
// "sqlite:///PATH" are the file at PATH. The only option is group_commit=off: each write is a transaction of its own, which
// is slower, to measure what group commit gains.
var Driver = storage.Driver{Scheme: "sqlite", File: fileOf, Open: func(u *url.URL, o storage.Options) (storage.Backend, error) {
	path, err := pathOf(u, o)
	if err != nil {
		return nil, err
	}
	s, err := newStore(path, o)
	if err == nil && u.RawQuery == groupCommitOff {
		s.groupSize = 1
	}
	return s, err
}}

func fileOf(u *url.URL, dataDir string) string {
	path, err := pathOf(u, storage.Options{DataDir: dataDir})
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return ""
	}
	return path
}

const (
	defaultName    = "roster.db"
	groupCommitOff = "group_commit=off"
)

// pathOf reads the database's path from a URL.
func pathOf(u *url.URL, o storage.Options) (string, error) {
	switch {
	case u.Host != "" || u.User != nil:
		return "", fmt.Errorf("sqlite: %q names a host; write sqlite:PATH or sqlite:///PATH", u.Redacted())
	case u.RawQuery != "" && u.RawQuery != groupCommitOff:
		return "", fmt.Errorf("sqlite: unknown option %q; the only one is %s", u.RawQuery, groupCommitOff)
	case u.Fragment != "":
		return "", errors.New("sqlite: the URL has a fragment; write %23 for a # in the path")
	}
	path := u.Path
	if u.Opaque != "" { // a path that does not begin with a slash arrives undecoded
		var err error
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return "", fmt.Errorf("sqlite: path: %w", err)
		}
	}
	switch path {
	case "":
		path = filepath.Join(o.DataDir, defaultName)
	case ":memory:":
		return "", errors.New("sqlite: a database in memory is another backend: use memory: instead")
	}
	return path, nil
}
