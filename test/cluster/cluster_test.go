// Package cluster_test tests several instances of the service on one database: together they behave as one.
package cluster_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"roster/test/support/process"
	"roster/test/support/testenv"
)

func TestMain(m *testing.M) { process.Main(m) }

const (
	secret   = "a secret that all instances share: 0123456789-abcdefghijklmnopqrstuvwxyz"
	password = "four wide purple boats"
)

// backends returns, by name, a database that several instances can share.
var backends = map[string]func(testing.TB) string{
	"sqlite":   func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "shared.db") },
	"postgres": testenv.Postgres,
	"mongodb":  testenv.MongoDB,
}

// cluster is three instances.
type cluster [3]*process.Server

func onEach(t *testing.T, settings map[string]string, test func(t *testing.T, c cluster)) {
	for name, database := range backends {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each has servers of its own, and waits for them
			env := map[string]string{"ROSTER_DATABASE": database(t), "ROSTER_SIGNING_KEY": secret}
			for k, v := range settings {
				env[k] = v
			}
			var c cluster
			for i := range c {
				c[i] = process.Start(t, env)
			}
			test(t, c)
		})
	}
}

// answer is the response to a request.
type answer struct {
	status     int
	retryAfter int // in seconds, 0 without Retry-After
	body       map[string]any
}

func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

func ask(t *testing.T, s *process.Server, method, path, token string, body any) answer {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Error(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, bytes.NewReader(text))
	if err != nil {
		t.Error(err)
		return answer{}
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return answer{}
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	a := answer{status: res.StatusCode}
	a.retryAfter, _ = strconv.Atoi(res.Header.Get("Retry-After"))
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			t.Errorf("%s %s: %s", method, path, raw)
		}
	}
	return a
}

// atOnce sends n requests at the same time, to each instance in turn.
func atOnce(t *testing.T, c cluster, n int, request func(i int, s *process.Server) answer) []answer {
	t.Helper()
	out := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { out[i] = request(i, c[i%len(c)]) })
	}
	wg.Wait()
	return out
}

func count(answers []answer, status int) int {
	n := 0
	for _, a := range answers {
		if a.status == status {
			n++
		}
	}
	return n
}

func member(email string) map[string]string {
	return map[string]string{"email": email, "password": password, "first_name": "Ann", "last_name": "Lee"}
}

func register(t *testing.T, s *process.Server, email string) string {
	t.Helper()
	a := ask(t, s, http.MethodPost, "/api/users/", "", member(email))
	if a.status != http.StatusCreated {
		t.Fatalf("register: %+v", a)
	}
	return a.text("id")
}

func signIn(t *testing.T, s *process.Server, email string) (access, refresh string) {
	t.Helper()
	a := ask(t, s, http.MethodPost, "/api/token/", "", map[string]string{"email": email, "password": password})
	if a.status != http.StatusOK {
		t.Fatalf("sign in: %+v", a)
	}
	return a.text("access"), a.text("refresh")
}

func TestEmailIsUniqueAcrossInstances(t *testing.T) {
	onEach(t, nil, func(t *testing.T, c cluster) {
		answers := atOnce(t, c, 30, func(_ int, s *process.Server) answer {
			return ask(t, s, http.MethodPost, "/api/users/", "", member("same@example.com"))
		})
		if won, lost := count(answers, http.StatusCreated), count(answers, http.StatusBadRequest); won != 1 || lost != 29 {
			t.Errorf("%d registered, %d were refused; want 1 and 29", won, lost)
		}
	})
}

func TestCountedIDsAreGivenOnce(t *testing.T) {
	onEach(t, map[string]string{"ROSTER_IDS": "integer"}, func(t *testing.T, c cluster) {
		seen := map[any]bool{}
		for _, a := range atOnce(t, c, 24, func(i int, s *process.Server) answer {
			return ask(t, s, http.MethodPost, "/api/users/", "", member(fmt.Sprintf("n%d@example.com", i)))
		}) {
			if a.status != http.StatusCreated || seen[a.body["id"]] {
				t.Errorf("%+v", a)
			}
			seen[a.body["id"]] = true
		}
	})
}

func TestRefreshTokenHasOneSuccessorAcrossInstances(t *testing.T) {
	onEach(t, nil, func(t *testing.T, c cluster) {
		register(t, c[0], "a@example.com")
		_, refresh := signIn(t, c[1], "a@example.com")
		successors := map[string]bool{}
		for _, a := range atOnce(t, c, 30, func(_ int, s *process.Server) answer {
			return ask(t, s, http.MethodPost, "/api/token/refresh/", "", map[string]string{"refresh": refresh})
		}) {
			if a.status != http.StatusOK {
				t.Errorf("within the grace: %+v", a)
			}
			successors[a.text("refresh")] = true
		}
		if len(successors) != 1 {
			t.Errorf("%d successors, want 1", len(successors))
		}
	})
}

func TestRevocationAppliesToAllInstances(t *testing.T) {
	onEach(t, nil, func(t *testing.T, c cluster) {
		id := register(t, c[0], "a@example.com")
		access, refresh := signIn(t, c[1], "a@example.com")
		other, _ := signIn(t, c[2], "a@example.com")
		if a := ask(t, c[2], http.MethodGet, "/api/users/"+id+"/", access, nil); a.status != http.StatusOK {
			t.Fatalf("%+v", a)
		}
		if a := ask(t, c[0], http.MethodPost, "/api/token/blacklist/", "", map[string]string{"refresh": refresh}); a.status != http.StatusOK {
			t.Fatalf("sign out: %+v", a)
		}
		for i, s := range c {
			if a := ask(t, s, http.MethodGet, "/api/users/"+id+"/", access, nil); a.status != http.StatusUnauthorized {
				t.Errorf("instance %d, signed out: %+v", i, a)
			}
			if a := ask(t, s, http.MethodPost, "/api/token/refresh/", "", map[string]string{"refresh": refresh}); a.status != http.StatusUnauthorized {
				t.Errorf("instance %d, signed out, refresh: %+v", i, a)
			}
		}
		if a := ask(t, c[1], http.MethodDelete, "/api/users/"+id+"/", other, nil); a.status != http.StatusNoContent {
			t.Fatalf("delete: %+v", a)
		}
		for i, s := range c {
			if a := ask(t, s, http.MethodGet, "/api/users/"+id+"/", other, nil); a.status != http.StatusUnauthorized || a.text("code") != "user_not_found" {
				t.Errorf("instance %d, deleted: %+v", i, a)
			}
		}
	})
}

// When two administrators remove each other concurrently, on an instance each, one of them stays.
func TestOneOfTwoAdministratorsStays(t *testing.T) {
	onEach(t, nil, func(t *testing.T, c cluster) {
		ways := []func(s *process.Server, token, of string) answer{
			func(s *process.Server, token, of string) answer {
				return ask(t, s, http.MethodDelete, "/api/users/"+of+"/", token, nil)
			},
			func(s *process.Server, token, of string) answer {
				return ask(t, s, http.MethodPatch, "/api/users/"+of+"/", token, map[string]bool{"is_staff": false})
			},
			func(s *process.Server, token, of string) answer {
				return ask(t, s, http.MethodPatch, "/api/users/"+of+"/", token, map[string]bool{"is_active": false})
			},
		}
		for round := range len(ways) {
			var ids, tokens [2]string
			for i := range ids {
				email := fmt.Sprintf("r%d-%d@example.com", round, i)
				ids[i] = register(t, c[i], email)
				c[i].MustCLI("user", "set", email, "--staff=true")
				tokens[i], _ = signIn(t, c[i], email)
			}
			start := make(chan struct{})
			var got [2]answer
			var wg sync.WaitGroup
			for i := range got {
				wg.Go(func() {
					<-start
					got[i] = ways[(round+i)%len(ways)](c[i], tokens[i], ids[1-i])
				})
			}
			close(start)
			wg.Wait()
			left := strings.Count(c[2].MustCLI("user", "list", "--staff", "--active", "--format", "json"), "\n")
			if done := count(got[:], http.StatusOK) + count(got[:], http.StatusNoContent); left != 1 || done != 1 {
				t.Fatalf("round %d: %d administrators left; %+v", round, left, got)
			}
			for _, id := range ids {
				_, _, _ = c[2].CLI("user", "delete", id, "--yes", "--force") // one is deleted already
			}
		}
	})
}
