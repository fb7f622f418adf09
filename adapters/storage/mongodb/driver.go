package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"roster/adapters/storage"
)

// Driver opens mongodb: URLs, in the form that MongoDB's own programs take. The path names the
// database, which is roster when there is none; options go to the driver, but for
// sharded=true: emails are claimed as on a sharded cluster, whatever the server is.
var Driver = storage.Driver{Scheme: scheme, Open: open}

// SRVDriver opens mongodb+srv: URLs, whose servers are looked up in the DNS.
var SRVDriver = storage.Driver{Scheme: "mongodb+srv", Open: open}

func open(u *url.URL, o storage.Options) (storage.Backend, error) {
	return New(u, Options{Monitor: monitor(o.Observe), Options: o})
}

// monitor calls observe for each command, without its document and the answer.
func monitor(observe func(command string, took time.Duration, failed bool)) *event.CommandMonitor {
	if observe == nil {
		return nil
	}
	return &event.CommandMonitor{
		Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) { observe(e.CommandName, e.Duration, false) },
		Failed:    func(_ context.Context, e *event.CommandFailedEvent) { observe(e.CommandName, e.Duration, true) },
	}
}

const scheme = "mongodb"

const defaultName = "roster"

// place is what a URL says: where the servers are, and which database is meant.
type place struct {
	uri     string // for the driver; with the password
	name    string
	sharded bool     // a cluster, even if the server does not say so
	secrets []string // the spellings of the password, which no error may hold
}

// placeOf reads a URL.
func placeOf(u *url.URL) (place, error) {
	switch {
	case u.Host == "" || u.Opaque != "":
		return place{}, errors.New("mongodb: the URL names no host; write mongodb://HOST/DATABASE")
	case u.Fragment != "":
		return place{}, errors.New("mongodb: the URL has a fragment; write %23 for a # in the password")
	}
	p := place{name: strings.TrimPrefix(u.Path, "/")}
	if p.name == "" {
		p.name = defaultName
	}
	if strings.ContainsAny(p.name, "/\\. \"$*<>:|?\x00") || len(p.name) > 63 {
		return place{}, fmt.Errorf("mongodb: %q cannot be the name of a database", p.name)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return place{}, errors.New("mongodb: the URL's options cannot be read")
	}
	switch query.Get("sharded") {
	case "", "false":
	case "true":
		p.sharded = true
	default:
		return place{}, errors.New("mongodb: the URL's option sharded is true or false")
	}
	query.Del("sharded")
	plain := *u
	plain.RawQuery = query.Encode()
	if plain.Path == "" {
		plain.Path = "/" // options may not follow the host directly
	}
	p.uri = plain.String()
	if password, has := u.User.Password(); has && password != "" {
		_, written, _ := strings.Cut(u.User.String(), ":")
		p.secrets = []string{written, password}
	}
	return p, nil
}

// redacted returns err on one line and without the password.
func (p place) redacted(err error) error {
	if err == nil {
		return nil
	}
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	for _, secret := range p.secrets {
		text = strings.ReplaceAll(text, secret, "xxxxx")
	}
	return errors.New(text)
}
