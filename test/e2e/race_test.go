package e2e

import (
	"strconv"
	"sync"
	"testing"

	"roster/test/support/process"
)

// together makes n requests at once and returns their answers.
func together(n int, request func(i int) answer) []answer {
	out := make([]answer, n)
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-gate
			out[i] = request(i)
		})
	}
	close(gate)
	all.Wait()
	return out
}

// counted returns how many answers had each status.
func counted(answers []answer) map[int]int {
	out := map[int]int{}
	for _, a := range answers {
		out[a.status]++
	}
	return out
}

// Of concurrent registrations of one address one succeeds, and the others are refused because it is taken.
func TestRegistrationRace(t *testing.T) {
	// The queue of hashes is long enough for all registrations.
	s := process.StartWatched(t, map[string]string{"ROSTER_HASH_WORKERS": "2", "ROSTER_HASH_WAIT": "1m", "ROSTER_REQUEST_TIMEOUT": "1m"})
	spellings := []string{"ann@example.com", "ANN@example.com", "Ann@EXAMPLE.com", "aNN@Example.Com"}
	answers := together(100, func(i int) answer {
		return call(s, t, "POST", "/api/users/", body(registration(spellings[i%len(spellings)])))
	})
	same(t, "answers", counted(answers), map[int]int{201: 1, 400: 99})
	for _, a := range answers {
		if a.status == 400 {
			a.is(400, fields("email", taken))
		}
	}
	k := signIn(s, t, person{email: "ann@example.com"})
	same(t, "users", len(list(s, t, "/api/users/", k).emails), 1)
}

// Of concurrent refreshes with one token one successor is valid.
func TestRefreshRace(t *testing.T) {
	for _, grace := range []string{"10s", "0s"} {
		t.Run("grace "+grace, func(t *testing.T) {
			s := process.StartWatched(t, map[string]string{"ROSTER_REUSE_GRACE": grace})
			ann, k := arrive(s, t, "ann@example.com")
			answers := together(50, func(int) answer { return refresh(s, t, k.refresh) })
			session := claims(t, k.refresh)["sid"]
			generations, pairs := map[any]bool{}, []tokens{}
			for _, a := range answers {
				switch a.status {
				case 200:
					p := tokens{a.text("access"), a.text("refresh")}
					pairs = append(pairs, p)
					c := claims(t, p.refresh)
					generations[c["gen"]] = true
					same(t, "session", c["sid"], session)
				case 401:
				default:
					t.Errorf("status %d: %s", a.status, a.raw)
				}
			}
			if len(pairs) == 0 || len(generations) != 1 {
				t.Fatalf("%v, with the generations %v; want one generation", counted(answers), generations)
			}
			if grace == "0s" { // the losers reused a token, which ends the session
				same(t, "answers", counted(answers), map[int]int{200: 1, 401: 49})
				wantDead(s, t, ann, pairs[0])
				return
			}
			wantAlive(s, t, ann, pairs[0])
			refresh(s, t, pairs[0].refresh).want(200)
			refresh(s, t, k.refresh).want(401)
		})
	}
}

// Concurrent changes of different members do not undo each other.
func TestConcurrentChangesAllCount(t *testing.T) {
	s := process.StartWatched(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	for round := range 8 {
		first, last := "F"+strconv.Itoa(round), "L"+strconv.Itoa(round)
		answers := together(2, func(i int) answer {
			return call(s, t, "PATCH", ann.path(), bearer(k.access), body([]object{{"first_name": first}, {"last_name": last}}[i]))
		})
		same(t, "answers", counted(answers), map[int]int{200: 2})
		got := call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
		same(t, "first name", got.text("first_name"), first)
		same(t, "last name", got.text("last_name"), last)
	}
}

// Of concurrent changes of one version one succeeds.
func TestOneChangePerVersion(t *testing.T) {
	s := process.StartWatched(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	tag := call(s, t, "GET", ann.path(), bearer(k.access)).header.Get("Etag")
	answers := together(16, func(i int) answer {
		return call(s, t, "PATCH", ann.path(), bearer(k.access), header("If-Match", tag), body(object{"first_name": "N" + strconv.Itoa(i)}))
	})
	same(t, "answers", counted(answers), map[int]int{200: 1, 412: 15})
}

// After a concurrent deletion and change the user is deleted.
func TestDeletedUsersStayDeleted(t *testing.T) {
	s := process.StartWatched(t, nil)
	_, admin := staff(s, t, "admin@example.com")
	for round := range 8 {
		p := register(s, t, "user"+strconv.Itoa(round)+"@example.com")
		answers := together(8, func(i int) answer {
			if i == 0 {
				return call(s, t, "DELETE", p.path(), bearer(admin.access))
			}
			return call(s, t, "PATCH", p.path(), bearer(admin.access), body(object{"first_name": "N" + strconv.Itoa(i)}))
		})
		same(t, "deletion", answers[0].status, 204)
		for _, a := range answers[1:] {
			if a.status != 200 && a.status != 404 {
				t.Errorf("status %d: %s", a.status, a.raw)
			}
		}
		call(s, t, "GET", p.path(), bearer(admin.access)).want(404)
	}
}

// Of a flood of sign-ins a part is served; the others get 503 with Retry-After, and other requests are served.
func TestSignInFlood(t *testing.T) {
	s := process.StartRelease(t, map[string]string{"ROSTER_HASH_WORKERS": "1", "ROSTER_HASH_WAIT": "1ms"})
	ann, k := arrive(s, t, "ann@example.com")
	answers := together(64, func(int) answer { return tryToSignIn(s, t, ann.email, password) })
	count := counted(answers)
	if count[200] == 0 || count[503] == 0 || count[200]+count[503] != len(answers) {
		t.Errorf("answers: %v, want some 200 and the rest 503", count)
	}
	for _, a := range answers {
		if a.status != 503 {
			continue
		}
		if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 {
			t.Errorf("503 with Retry-After %q", a.header.Get("Retry-After"))
		}
		if a.text("detail") == "" {
			t.Errorf("503 with %s", a.raw)
		}
	}
	wantAlive(s, t, ann, k)
	signIn(s, t, ann)
}
