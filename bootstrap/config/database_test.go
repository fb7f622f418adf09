package config

import (
	"strings"
	"testing"
)

func TestDatabaseShown(t *testing.T) {
	for raw, want := range map[string]string{
		"sqlite:":                                       "sqlite:",
		"sqlite:data/a b.db":                            "sqlite:data/a b.db",
		"sqlite:/var/lib/roster.db?mode=x":              "sqlite:/var/lib/roster.db?mode=x",
		"sqlite:///var/lib/a@b.db":                      "sqlite:///var/lib/a@b.db",
		"postgres:u:" + marker + "@h/d":                 "postgres:xxxxx@h/d",
		"mongodb://u:" + marker + "@a:1,b:2/d?tls=true": "mongodb://u:xxxxx@a:1,b:2/d?tls=true",
		"mongodb://u:" + marker + "@a:1,b/d?tls=true":   "mongodb://u:xxxxx@a:1,b/d?tls=true",
		"mongodb://u:a?" + marker + "#@a:1,[::1]":       "mongodb://u:xxxxx@a:1,[::1]",
		"mongodb://%2Frun%2Fmongodb.sock/d":             "mongodb://%2Frun%2Fmongodb.sock/d",
		"postgres:///u:" + marker + "@h":                "postgres:///xxxxx@h",
		"postgres://u:" + marker + "@h:1/d?user=a@b":    "postgres://u:xxxxx@h:1/d?user=a@b",
		"postgres://u:1?" + marker + "@h/d":             "postgres://u:xxxxx",
		"postgres://u:1#" + marker + "@h/d":             "postgres://u:xxxxx",
		"postgres://u:1,2?" + marker + "@h/d":           "postgres://u:xxxxx@h/d",
	} {
		d, err := ParseDatabase(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if d.String() != want {
			t.Errorf("%s is shown as %s, want %s", raw, d, want)
		}
	}
}

// URLs that a driver accepts are accepted, and passed to it.
func TestDatabaseTaken(t *testing.T) {
	for _, c := range []struct{ raw, host, name, password, path, query string }{
		{"mongodb://h1:27017,h2", "h1:27017,h2", "", "", "", ""},
		{"mongodb://h1:27017,h2/", "h1:27017,h2", "", "", "/", ""},
		{"mongodb://h1:27017,h2?replicaSet=r", "h1:27017,h2", "", "", "", "replicaSet=r"},
		{"mongodb://u:p%40%2F@h1:27017,h2,h3:3/d?replicaSet=r", "h1:27017,h2,h3:3", "u", "p@/", "/d", "replicaSet=r"},
		{"mongodb://u:p?#@h1:1,h2/d", "h1:1,h2", "u", "p?#", "/d", ""},
		{"mongodb://u:a@b@h1:1,h2/d", "h1:1,h2", "u", "a@b", "/d", ""},
		{"mongodb://u@h1:1,h2/d", "h1:1,h2", "u", "", "/d", ""},
		{"mongodb://[::1]:1,[2001:db8::2]/d", "[::1]:1,[2001:db8::2]", "", "", "/d", ""},
		{"mongodb://h,[fe80::1%25eth0]:1/d", "h,[fe80::1%eth0]:1", "", "", "/d", ""},
		{"mongodb://%2Frun%2Fmongodb-27017.sock,h:1/d", "/run/mongodb-27017.sock,h:1", "", "", "/d", ""},
		{"mongodb+srv://u:p@cluster.example.com/d?w=1", "cluster.example.com", "u", "p", "/d", "w=1"},
		{"postgres://u:p@h1:5433,h2/d?target_session_attrs=any", "h1:5433,h2", "u", "p", "/d", "target_session_attrs=any"},
		{"postgres://h1,h2:5433/d", "h1,h2:5433", "", "", "/d", ""},
		{"postgres://u:p@bücher.example:1,h2/a%40b", "bücher.example:1,h2", "u", "p", "/a@b", ""},
		{"postgres:///d?host=/run/postgresql&user=a@b", "", "", "", "/d", "host=/run/postgresql&user=a@b"},
	} {
		d, err := ParseDatabase(c.raw)
		if err != nil {
			t.Errorf("%s: %v", c.raw, err)
			continue
		}
		u := d.URL()
		password, _ := u.User.Password()
		if u.Host != c.host || u.User.Username() != c.name || password != c.password || u.Path != c.path || u.RawQuery != c.query {
			t.Errorf("%s was read as %q, user %q, %q, path %q, query %q", c.raw, u.Host, u.User.Username(), password, u.Path, u.RawQuery)
		}
		again, err := ParseDatabase(u.String())
		if err != nil || again.URL().String() != u.String() || again.URL().Host != u.Host {
			t.Errorf("%s: written again as %s, it is read otherwise: %v", c.raw, u, err)
		}
	}
}

// A text that is not a URL is refused, and the error does not repeat it.
func TestDatabaseRefused(t *testing.T) {
	for _, raw := range []string{
		"", marker, "//h/" + marker, "mongodb://u:" + marker + "/x@h1:1,h2", "mongodb://u:1/" + marker + "@h", "mongodb://u:1,2/" + marker + "@h",
		"mongodb://u:%zz" + marker + "@h1:1,h2", "mongodb://%zz" + marker + ":p@h1:1,h2", "mongodb://" + marker + ":%zz@h1:1,h2",
		"mongodb://" + marker + ":x,h", "mongodb://h1:1," + marker + " x", "mongodb://[::1,h:" + marker, "mongodb://h:1,,h:" + marker,
		"mongodb://%zz" + marker + ",h", "mongodb://h:1,h/%zz" + marker, "\x00mongodb://" + marker, ":" + marker + "://h:1,h",
	} {
		d, err := ParseDatabase(raw)
		if err == nil {
			t.Errorf("%q is taken, as %s", raw, d)
		} else if strings.Contains(err.Error(), marker) {
			t.Errorf("%q: the error shows it: %v", raw, err)
		}
	}
}
