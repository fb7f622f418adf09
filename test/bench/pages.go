package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// maxPage is the CPU time of a page of the console at most, in microseconds.
const maxPage = 3000

// pages returns what is measured of the console. An administrator looks at it, with as many requests at once as clients.
func (b *bench) pages() []operation {
	var all []operation
	for _, p := range []struct {
		name string
		path func() string
	}{
		{"overview", func() string { return "" }},
		{"users", func() string { return "users/" }},
		{"search of users", func() string { return fmt.Sprintf("users/?search=user%08d", rand.IntN(b.users)) }},
		{"one user", func() string { return "users/" + string(seeded(rand.IntN(b.users)).ID) + "/" }},
		{"audit trail", func() string { return "audit/" }},
		{"settings", func() string { return "settings/" }},
	} {
		all = append(all, operation{
			name: "console, " + p.name, clients: b.few(), console: true, micros: maxPage,
			request: func(c *client) vegeta.Target {
				t := send("GET", "/console/"+p.path(), "")
				t.Header.Set("Cookie", c.cookie)
				return t
			},
		})
	}
	return all
}

// launchConsole starts Roster with the console on the listener of the API, and signs an administrator in, for n clients.
func (b *bench) launchConsole(n int) (s *server, err error) {
	email := seeded(b.users - 1).Email
	more := map[string]string{"ROSTER_CONSOLE": "api"}
	if out, err := b.settings(more).Run("", "user", "set", email, "--staff=true"); err != nil || out.Code != 0 {
		return nil, errors.Join(err, fmt.Errorf("user set: exit code %d\n%s", out.Code, out.Stderr))
	}
	s, _, err = b.launch("roster, console", more)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	s.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := s.http.PostForm(s.url+"/console/sign-in/", url.Values{"email": {email}, "password": {password}})
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	cookies := resp.Cookies()
	if len(cookies) != 1 {
		return nil, fmt.Errorf("sign-in of %s to the console: %s, %d cookies", email, resp.Status, len(cookies))
	}
	for range n {
		s.clients = append(s.clients, &client{email: email, cookie: cookies[0].Name + "=" + cookies[0].Value})
	}
	return s, nil
}
