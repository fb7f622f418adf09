package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// operation is what clients do over and over.
type operation struct {
	name    string
	clients int
	request request
	both    bool    // measured with HS256 beside the default, ES256
	grouped bool    // measured without group commit too
	console bool    // measured on the server with the console
	floor   request // the same on the floor, if it can do that
	// What the CPU time may be: that of the floor times a factor, or microseconds. Zero is no limit.
	floors, micros float64
}

// few is the number of clients of the operations that more clients would not make faster. Each client is a user of its own.
func (o options) few() int { return max(1, o.clients/4) }

// operations returns what is measured. deep is the path of a list page far from the start.
func (b *bench) operations(deep string) []operation {
	few, many := b.few(), b.clients
	other := func(c *client) vegeta.Target { return get(c, userPath(string(seeded(rand.IntN(b.users)).ID))) }
	list := func(c *client) vegeta.Target { return get(c, "/api/users/") }
	all := []operation{
		{name: "read self", clients: few, request: readSelf, both: true, floor: readSelf, floors: 1.5},
		{name: "read another", clients: few, request: other, both: true, floor: other, floors: 1.8},
		{name: "list, first page", clients: few, request: list, both: true, floor: list, floors: 1.7},
		{name: "list, deep page", clients: few, request: func(c *client) vegeta.Target { return get(c, deep) }, both: true, floor: list,
			floors: 1.7},
		{name: "search", clients: few, request: func(c *client) vegeta.Target {
			return get(c, fmt.Sprintf("/api/users/?search=user%08d", rand.IntN(b.users)))
		}, micros: 3000},
		{name: "verify", clients: few, request: verify},
		{name: "refresh, 1 client", clients: 1, request: refresh},
		{name: "refresh", clients: many, request: refresh, grouped: true, micros: 450},
		{name: "change a name", clients: many, request: rename, micros: 400},
		{name: "mix", clients: many, request: func(c *client) vegeta.Target {
			switch n := rand.IntN(100); {
			case n < 50:
				return readSelf(c)
			case n < 70:
				return other(c)
			case n < 80:
				return list(c)
			case n < 85:
				return verify(c)
			case n < 95:
				return refresh(c)
			default:
				return rename(c)
			}
		}},
		{name: "sign in", clients: few, request: signIn},
		{name: "register", clients: few, request: register},
	}
	if b.database != "" { // the limits are for SQLite, but for that of searches
		for i := range all {
			if all[i].name != "search" {
				all[i].floors, all[i].micros = 0, 0
			}
		}
	}
	return append(all, b.pages()...)
}

func userPath(id string) string { return "/api/users/" + id + "/" }

func readSelf(c *client) vegeta.Target { return get(c, userPath(c.id)) }

func verify(c *client) vegeta.Target {
	return send("POST", "/api/token/verify/", `{"token":"`+c.access+`"}`)
}

// refresh uses the newest refresh token of the client, whose answer has the next.
func refresh(c *client) vegeta.Target {
	return send("POST", "/api/token/refresh/", `{"refresh":"`+c.refresh+`"}`)
}

func rename(c *client) vegeta.Target {
	c.changes++
	return authenticated(c, "PATCH", userPath(c.id), fmt.Sprintf(`{"first_name":"Ann %d"}`, c.changes))
}

func signIn(c *client) vegeta.Target {
	return send("POST", "/api/token/", credentials(c.email, password))
}

// registered makes each registered address a new one, in this run and among those on one PostgreSQL database.
var (
	registered atomic.Int64
	thisRun    = time.Now().UnixNano()
)

func register(*client) vegeta.Target {
	return send("POST", "/api/users/", fmt.Sprintf(`{"email":"new%d.%d@example.com","password":%q,"first_name":"Ann","last_name":"Lee"}`,
		thisRun, registered.Add(1), password))
}

// deepPage returns the path of the page that begins nine tenths into the list. Walking there would take long, so it
// changes the position in the cursor of the second page.
func (b *bench) deepPage(s *server) (string, error) {
	_, next, err := s.page("/api/users/")
	if err != nil {
		return "", err
	}
	link, err := url.Parse(next)
	if err != nil {
		return "", err
	}
	query := link.Query()
	raw, err := base64.RawURLEncoding.DecodeString(query.Get("cursor"))
	if err != nil {
		return "", fmt.Errorf("the cursor of %q: %w", next, err)
	}
	var cursor struct {
		Order  []string `json:"o"`
		Values []string `json:"v"`
	}
	if err := json.Unmarshal(raw, &cursor); err != nil {
		return "", fmt.Errorf("the cursor of %q: %w", next, err)
	}
	before := b.users*9/10 - 1
	for i, field := range cursor.Order {
		switch field {
		case "id":
			cursor.Values[i] = string(seeded(before).ID)
		case "date_joined":
			cursor.Values[i] = seeded(before).Joined.Format("2006-01-02T15:04:05.000000Z07:00")
		}
	}
	if raw, err = json.Marshal(cursor); err != nil {
		return "", err
	}
	query.Set("cursor", base64.RawURLEncoding.EncodeToString(raw))
	path := "/api/users/?" + query.Encode()
	ids, _, err := s.page(path)
	if err == nil && (len(ids) == 0 || ids[0] != string(seeded(before+1).ID)) {
		err = fmt.Errorf("%s does not begin with user %d of %d", path, before+1, b.users)
	}
	return path, err
}
