package main

import (
	"fmt"
	"sync/atomic"
)

const password = "Correct-horse-7-battery"

// worker is a signed-in user with a connection.
type worker struct {
	*conn
	id, email, access, refresh string
	count                      int
}

var users atomic.Int64 // so that no address comes twice

func newEmail() string { return fmt.Sprintf("user%d@example.com", users.Add(1)) }

func registration(email string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q,"first_name":"Ann","last_name":"Lee"}`, email, password)
}

func credentials(email, password string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)
}

// arrive registers somebody and signs them in.
func arrive(address string) (*worker, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	w := &worker{conn: c, email: newEmail()}
	raw, err := c.do("POST", "/api/users/", "", registration(w.email), 201)
	if err != nil {
		return nil, err
	}
	if w.id, err = member(raw, "id"); err != nil {
		return nil, err
	}
	raw, err = c.do("POST", "/api/token/", "", credentials(w.email, password), 200)
	if err != nil {
		return nil, err
	}
	if w.access, err = member(raw, "access"); err != nil {
		return nil, err
	}
	w.refresh, err = member(raw, "refresh")
	return w, err
}

// operation is what a client does over and over.
type operation struct {
	name string
	once func(w *worker) error
}

var operations = []operation{
	{"GET user", func(w *worker) error {
		_, err := w.do("GET", "/api/users/"+w.id+"/", w.access, "", 200)
		return err
	}},
	{"GET list page", func(w *worker) error {
		_, err := w.do("GET", "/api/users/", w.access, "", 200)
		return err
	}},
	{"PATCH name", func(w *worker) error {
		w.count++
		_, err := w.do("PATCH", "/api/users/"+w.id+"/", w.access, fmt.Sprintf(`{"first_name":"Ann %d"}`, w.count), 200)
		return err
	}},
	{"refresh", func(w *worker) error {
		raw, err := w.do("POST", "/api/token/refresh/", "", `{"refresh":"`+w.refresh+`"}`, 200)
		if err == nil {
			w.refresh, err = member(raw, "refresh")
		}
		return err
	}},
	{"verify", func(w *worker) error {
		_, err := w.do("POST", "/api/token/verify/", "", `{"token":"`+w.access+`"}`, 200)
		return err
	}},
	{"sign-in (argon2id)", func(w *worker) error {
		_, err := w.do("POST", "/api/token/", "", credentials(w.email, password), 200)
		return err
	}},
	{"register (argon2id)", func(w *worker) error {
		_, err := w.do("POST", "/api/users/", "", registration(newEmail()), 201)
		return err
	}},
}
