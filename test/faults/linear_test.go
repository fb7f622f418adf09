package faults

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"roster/test/support/process"
)

// history collects the operations of concurrent clients, for porcupine: it looks for an order in which a service that does
// one thing at a time would have given the same answers.
type history struct {
	mu         sync.Mutex
	begun      time.Time
	operations []porcupine.Operation
	failed     []string // operations without an answer that says what happened
}

// do sends a request and records it.
func (h *history) do(client int, in any, request func() answer, out func(answer) any) answer {
	call := time.Since(h.begun)
	a := request()
	end := time.Since(h.begun)
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.err != nil || a.status >= 500 || a.status == http.StatusTooManyRequests {
		h.failed = append(h.failed, fmt.Sprintf("%+v: %v, status %d: %s", in, a.err, a.status, a.raw))
		return a
	}
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: in, Call: int64(call), Output: out(a), Return: int64(end)})
	return a
}

// check returns why a history is impossible, nothing if it is possible.
func (h *history) check(model porcupine.Model) []string {
	if result := porcupine.CheckOperationsTimeout(model, h.operations, 2*time.Minute); result != porcupine.Ok {
		return append(h.failed, fmt.Sprintf("%s: no order explains the %d answers", result, len(h.operations)))
	}
	return h.failed
}

// accountInput is an operation on the account with an address.
type accountInput struct {
	op, email, id, tag string
}

// accountOutput is its answer.
type accountOutput struct {
	status  int
	id, tag string
}

// accountState is the account that has the address: none without an id.
type accountState struct{ id, tag string }

// accountsModel is the model of the accounts: registration gives an address to one account, a change with If-Match follows the
// version that it names, and an account that was deleted is gone.
var accountsModel = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		return partition(all, func(o porcupine.Operation) string { return o.Input.(accountInput).email })
	},
	Init: func() any { return accountState{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(accountState), input.(accountInput), output.(accountOutput)
		there := s.id != "" && s.id == in.id
		switch in.op {
		case "register":
			if s.id != "" {
				return out.status == http.StatusBadRequest, s
			}
			return out.status == http.StatusCreated, accountState{out.id, out.tag}
		case "read":
			if !there {
				return out.status == http.StatusNotFound, s
			}
			return out.status == http.StatusOK && (s.tag == "" || out.tag == s.tag), accountState{s.id, out.tag}
		case "change":
			switch {
			case !there:
				return out.status == http.StatusNotFound, s
			case s.tag != "" && in.tag != s.tag:
				return out.status == http.StatusPreconditionFailed, s
			}
			return out.status == http.StatusOK, accountState{s.id, out.tag}
		default: // delete
			if !there {
				return out.status == http.StatusNotFound, s
			}
			return out.status == http.StatusNoContent, accountState{}
		}
	},
	Equal: func(a, b any) bool { return a == b },
}

// partition groups operations that share what they are about.
func partition(all []porcupine.Operation, key func(porcupine.Operation) string) [][]porcupine.Operation {
	groups := map[string][]porcupine.Operation{}
	for _, o := range all {
		groups[key(o)] = append(groups[key(o)], o)
	}
	var out [][]porcupine.Operation
	for _, group := range groups {
		out = append(out, group)
	}
	return out
}

// admin returns the access token of an administrator.
func admin(t *testing.T, s *process.Server) string {
	t.Helper()
	registered(t, s, "admin@example.com")
	s.MustCLI("user", "set", "admin@example.com", "--staff=true")
	return signIn(t, s, "admin@example.com").text("access")
}

func form(email string) object {
	return object{"email": email, "password": password, "first_name": "Ann", "last_name": "Lee"}
}

func signIn(t *testing.T, s *process.Server, email string) answer {
	t.Helper()
	a := ask(s.URL, "POST", "/api/token/", "", object{"email": email, "password": password})
	if a.status != http.StatusOK {
		t.Fatalf("sign in as %s: %v, status %d: %s", email, a.err, a.status, a.raw)
	}
	return a
}

// accountHistory lets clients register, read, change and delete the accounts of a few addresses at once.
func accountHistory(t *testing.T, s *process.Server, rounds int) []string {
	t.Helper()
	token := admin(t, s)
	h := &history{begun: time.Now()}
	emails := []string{"a@example.com", "b@example.com"}
	known := make([]struct {
		sync.Mutex
		accountState
	}, len(emails)) // what a client saw last of each address
	var all sync.WaitGroup
	for i := range clients {
		random := rand.New(rand.NewPCG(rand.Uint64(), 0))
		all.Go(func() {
			for n := range rounds {
				e := random.IntN(len(emails))
				known[e].Lock()
				seen := known[e].accountState
				known[e].Unlock()
				in := accountInput{email: emails[e], id: seen.id, tag: seen.tag}
				path := "/api/users/" + seen.id + "/"
				request := func() answer { return ask(s.URL, "POST", "/api/users/", "", form(in.email)) }
				switch dice := random.IntN(10); {
				case seen.id == "" || dice < 2:
					in.op, in.id, in.tag = "register", "", ""
				case dice < 5 || seen.tag == "":
					in.op = "read"
					request = func() answer { return ask(s.URL, "GET", path, token, nil) }
				case dice < 9:
					in.op = "change"
					request = func() answer {
						return askWith(s.URL, "PATCH", path, token, map[string]string{"If-Match": seen.tag}, object{"first_name": fmt.Sprintf("N%d-%d", i, n)})
					}
				default:
					in.op = "delete"
					request = func() answer { return ask(s.URL, "DELETE", path, token, nil) }
				}
				a := h.do(i, in, request, func(a answer) any {
					return accountOutput{a.status, a.text("id"), a.header.Get("ETag")}
				})
				known[e].Lock()
				if a.status == http.StatusOK || a.status == http.StatusCreated {
					known[e].accountState = accountState{a.text("id"), a.header.Get("ETag")}
				}
				known[e].Unlock()
			}
		})
	}
	all.Wait()
	return h.check(accountsModel)
}

// sessionInput is an operation on a session: with the refresh token of a generation, or an access token.
type sessionInput struct {
	op         string
	session    string
	generation int
}

type sessionOutput struct{ status, generation int }

type sessionState struct {
	generation int
	dead       bool
}

// sessionsModel is the model of sessions without a grace: the refresh token of the present generation has one successor,
// one of an earlier generation ends the session, and so does a sign-out.
var sessionsModel = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		return partition(all, func(o porcupine.Operation) string { return o.Input.(sessionInput).session })
	},
	Init: func() any { return sessionState{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(sessionState), input.(sessionInput), output.(sessionOutput)
		switch {
		case in.op == "use" && s.dead, in.op == "refresh" && s.dead:
			return out.status == http.StatusUnauthorized, s
		case in.op == "use":
			return out.status == http.StatusOK, s
		case in.op == "sign out":
			return true, sessionState{s.generation, true} // of an ended session, either answer is right
		case in.generation != s.generation:
			return out.status == http.StatusUnauthorized, sessionState{s.generation, true}
		}
		next := sessionState{s.generation + 1, false}
		return out.status == http.StatusOK && out.generation == next.generation, next
	},
	Equal: func(a, b any) bool { return a == b },
}

// generation returns the claim gen of a refresh token.
func generation(token string) int {
	var claims struct {
		Gen int `json:"gen"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(raw, &claims)
	}
	return claims.Gen
}

// sessionHistory lets clients refresh, use and end a few sessions at once.
func sessionHistory(t *testing.T, s *process.Server, sessions int) []string {
	t.Helper()
	registered(t, s, "ann@example.com")
	h := &history{begun: time.Now()}
	for n := range sessions {
		first := signIn(t, s, "ann@example.com")
		var mu sync.Mutex
		refresh, access := first.text("refresh"), first.text("access")
		var all sync.WaitGroup
		for i := range clients {
			random := rand.New(rand.NewPCG(rand.Uint64(), 0))
			all.Go(func() {
				for range 6 {
					mu.Lock()
					token, with := refresh, access
					mu.Unlock()
					in := sessionInput{session: fmt.Sprint(n), generation: generation(token)}
					request := func() answer { return ask(s.URL, "GET", "/api/users/?page_size=1", with, nil) }
					switch dice := random.IntN(20); {
					case dice < 11:
						in.op = "use"
					case dice < 19:
						in.op = "refresh"
						request = func() answer { return ask(s.URL, "POST", "/api/token/refresh/", "", object{"refresh": token}) }
					default:
						in.op = "sign out"
						request = func() answer { return ask(s.URL, "POST", "/api/token/blacklist/", "", object{"refresh": token}) }
					}
					a := h.do(i, in, request, func(a answer) any { return sessionOutput{a.status, generation(a.text("refresh"))} })
					if next := a.text("refresh"); next != "" {
						mu.Lock()
						refresh, access = next, a.text("access")
						mu.Unlock()
					}
				}
			})
		}
		all.Wait()
	}
	return h.check(sessionsModel)
}

// The answers to concurrent clients are those of a service that does one thing at a time, on any database.
func TestAnswersAreLinearizable(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := settings(database(t))
			env["ROSTER_REUSE_GRACE"] = "0s"
			s := process.Start(t, env)
			none(t, accountHistory(t, s, 25))
			none(t, sessionHistory(t, s, 8))
		})
	}
}

// Both histories show a service that checks first and writes later, and one that gives an address to two accounts.
func TestHistoriesRevealRaces(t *testing.T) {
	t.Parallel() // each has servers of its own, and waits for them
	for _, c := range []struct {
		defect, history string
		of              func(*testing.T, *process.Server, int) []string
		size            int
	}{
		{"stale_write", "accounts", accountHistory, 25},
		{"stale_write", "sessions", sessionHistory, 8},
		{"ignore_taken", "accounts", accountHistory, 25},
	} {
		t.Run(c.defect+" in "+c.history, func(t *testing.T) {
			t.Parallel()
			env := settings("sqlite:")
			env["ROSTER_REUSE_GRACE"] = "0s"
			if violations := c.of(t, process.StartFlawed(t, c.defect, env), c.size); len(violations) == 0 {
				t.Error("no answer revealed it")
			} else {
				t.Log(violations[len(violations)-1])
			}
		})
	}
}
