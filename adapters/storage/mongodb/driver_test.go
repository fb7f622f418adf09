package mongodb

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"roster/adapters/storage"
)

func TestURLs(t *testing.T) {
	for _, c := range []struct{ url, name, err string }{
		{"mongodb://h", "roster", ""},
		{"mongodb://h/", "roster", ""},
		{"mongodb://h:27018/other", "other", ""},
		{"mongodb://h1:27017,h2:27018/other?replicaSet=r&authSource=admin", "other", ""},
		{"mongodb://[::1]:27017/other", "other", ""},
		{"mongodb://name:hunter2%40%2F%25+$s@h/other?tls=true", "other", ""},
		{"mongodb://h?sharded=false", "roster", ""},
		{"mongodb+srv://name:hunter2@cluster.example.com/other", "other", ""}, // without a DNS query
		{"mongodb://h?sharded=true", "roster", ""},
		{"mongodb://h?sharded=maybe", "", "true or false"},
		{"mongodb:", "", "names no host"},
		{"mongodb:name", "", "names no host"},
		{"mongodb://name:hunter2@h/a/b", "", "cannot be the name"},
		{"mongodb://name:hunter2@h/a.b", "", "cannot be the name"},
		{"mongodb://name:hunter2@h/x#y", "", "fragment"},
		{"mongodb://name:hunter2@h/?%zz", "", "options cannot be read"},
		{"mongodb://name:hunter2@h/?connectTimeoutMS=hunter2", "", "connectTimeoutMS"},
		{"mongodb://name:hunter2@h/?tls=false&ssl=true", "", "tls"},
		{"mongodb://name:hunter2@h1,h2/?directConnection=true", "", "direct"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatalf("%s: %v", c.url, err)
		}
		d := Driver
		if u.Scheme == SRVDriver.Scheme {
			d = SRVDriver
		}
		b, err := d.Open(u, storage.Options{})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: got error %v, want %q and no password", c.url, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if got := b.(*Store).place.name; got != c.name {
			t.Errorf("%s: got database %s, want %s", c.url, got, c.name)
		}
		if err := b.Close(t.Context()); err != nil { // also before Start
			t.Errorf("%s: Close: %v", c.url, err)
		}
	}
}

func TestClientOptions(t *testing.T) {
	u, err := url.Parse("mongodb://name:p%40ss%2Fw%25rd+$@h/other?serverSelectionTimeoutMS=1234&w=1&readPreference=secondary&retryWrites=false")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(u, Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := s.clientOptions()
	if o.Auth == nil || o.Auth.Username != "name" || o.Auth.Password != "p@ss/w%rd+$" || o.Auth.AuthSource != "other" {
		t.Error("user and password came over otherwise")
	}
	if *o.ServerSelectionTimeout != 1234*time.Millisecond || *o.ConnectTimeout != dialing {
		t.Errorf("time limits are %v and %v; want those of the URL and of the driver", *o.ServerSelectionTimeout, *o.ConnectTimeout)
	}
	if o.WriteConcern.W != "majority" || !*o.WriteConcern.Journal || o.ReadPreference.Mode().String() != "primary" || !*o.RetryWrites {
		t.Error("a URL must not make writes less safe, nor reads old")
	}
}

// TestObserve runs the monitor that Open makes of Options.Observe.
func TestObserve(t *testing.T) {
	u, err := url.Parse("mongodb://h")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	b, err := Driver.Open(u, storage.Options{Observe: func(command string, took time.Duration, failed bool) {
		seen = append(seen, fmt.Sprint(command, " ", took, " ", failed))
	}})
	if err != nil {
		t.Fatal(err)
	}
	m := b.(*Store).clientOptions().Monitor
	m.Succeeded(t.Context(), &event.CommandSucceededEvent{CommandFinishedEvent: event.CommandFinishedEvent{CommandName: "find", Duration: time.Second}})
	m.Failed(t.Context(), &event.CommandFailedEvent{CommandFinishedEvent: event.CommandFinishedEvent{CommandName: "insert", Duration: time.Minute}})
	if want := []string{"find 1s false", "insert 1m0s true"}; !slices.Equal(seen, want) {
		t.Errorf("observed %q, want %q", seen, want)
	}

	if b, err = Driver.Open(u, storage.Options{}); err != nil {
		t.Fatal(err)
	}
	if b.(*Store).clientOptions().Monitor != nil {
		t.Error("commands are monitored without an observer")
	}
}
