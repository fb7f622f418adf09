package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"roster/adapters/storage"
	"roster/adapters/storage/sqlite"
	"roster/domain/credential"
	"roster/domain/user"
	"roster/test/support/process"
)

// account is a kind of user whose sign-in is refused.
type account struct {
	name, email string // the address with %d for the number of the user
	encoded     string // the stored credential; "" for no user
	inactive    bool
}

const argon2id = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// What a refused sign-in may meet. The hashes fit no known password. All are compared with the first.
var accounts = []account{
	{name: "unknown", email: "unknown%d@example.com"},
	{name: "unknown, another", email: "another%d@example.com"},
	{name: "argon2id", email: "known%d@example.com", encoded: argon2id},
	{name: "inactive", email: "inactive%d@example.com", inactive: true, encoded: argon2id},
	{name: "unusable password", email: "unusable%d@example.com", encoded: "!"},
	{name: "pbkdf2_sha256, 260,000", email: "imported%d@example.com",
		encoded: "pbkdf2_sha256$260000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
	{name: "pbkdf2_sha256, 36,000", email: "old%d@example.com",
		encoded: "pbkdf2_sha256$36000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
}

// How many sign-ins of each kind are refused, each for another address.
const (
	forWarmth = 10
	refusedOf = 200
)

// plant stores accounts in the embedded database of a data directory, as an import would.
func plant(ctx context.Context, data string) error {
	b, err := sqlite.Driver.Open(&url.URL{Scheme: "sqlite"}, storage.Options{DataDir: data})
	if err != nil {
		return err
	}
	if err := b.Start(ctx); err != nil {
		return err
	}
	var users []user.Snapshot
	for _, a := range accounts {
		for n := range forWarmth + refusedOf {
			if a.encoded == "" {
				break
			}
			email := fmt.Sprintf(a.email, n)
			users = append(users, user.Snapshot{
				ID: user.ID(fmt.Sprintf("00000000-0000-7000-8000-%012x", len(users))), Email: email, EmailKey: email, FirstName: "Ann", LastName: "Lee",
				Active: !a.inactive, Password: credential.RestoreHash(a.encoded), Joined: time.Unix(int64(len(users)), 0).UTC(), Version: 1,
			})
		}
	}
	refused, err := b.Archive().Users().Put(ctx, users)
	return errors.Join(errors.Join(refused...), err, b.Close(ctx))
}

// refusals compares how long refused sign-ins take with how long they do for unknown addresses: the time
// must not show that an address has an account, or of what kind it is. The kinds take turns in random order, so that
// other load on the machine affects each alike.
func refusals() error {
	binary, err := process.BuildRelease()
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "roster-refusals-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	if err := plant(context.Background(), data); err != nil {
		return err
	}
	b := &bench{binary: binary, data: data}
	s, _, err := b.launch("roster", map[string]string{"ROSTER_IMPORTED_HASHES": "true"})
	if err != nil {
		return err
	}
	took, err := refuse(s)
	if err := errors.Join(err, s.stop()); err != nil {
		return err
	}
	fmt.Printf("refused sign-ins, %d of each, beside those of unknown addresses (Mann-Whitney U, two-sided)\n", refusedOf)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "account\tmedian ms\tp10\tp90\tlonger in\tp\t")
	var apart error
	for i, k := range accounts {
		s := slices.Sorted(slices.Values(took[i]))
		share, p := mannWhitney(took[i], took[0])
		fmt.Fprintf(out, "%s\t%.2f\t%.2f\t%.2f\t%.1f%%\t%.3f\t\n", k.name, s[refusedOf/2], s[refusedOf/10], s[refusedOf*9/10], 100*share, p)
		if p < significant {
			apart = errors.Join(apart, fmt.Errorf("refused sign-ins of %s differ from those of unknown addresses: p = %.2g", k.name, p))
		}
	}
	return errors.Join(out.Flush(), apart)
}

// significant is the probability below which a difference is not chance: of six comparisons, one in 160
// runs falls below it by chance.
const significant = 0.001

// refuse returns the milliseconds that each refusal of each kind took. Most of that is waiting, so that
// a request begins before the ones before it are answered, at a distance in which any of the hashes is
// computed.
func refuse(s *server) ([][]float64, error) {
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		fault error
		took  = make([][]float64, len(accounts))
	)
	for round := range forWarmth + refusedOf {
		for _, kind := range rand.Perm(len(accounts)) {
			body := credentials(fmt.Sprintf(accounts[kind].email, round), "not-the-password")
			all.Go(func() {
				begun := time.Now()
				err := s.refused(body)
				ms := float64(time.Since(begun).Nanoseconds()) / 1e6
				mu.Lock()
				defer mu.Unlock()
				if fault = errors.Join(fault, err); round >= forWarmth {
					took[kind] = append(took[kind], ms)
				}
			})
			time.Sleep(70*time.Millisecond + rand.N(40*time.Millisecond))
		}
	}
	all.Wait()
	return took, fault
}

// refused makes a sign-in that must be refused.
func (s *server) refused(body string) error {
	resp, err := s.http.Post(s.url+"/api/token/", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("a wrong password got %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// mannWhitney compares two samples by their ranks: how often one of a is longer than one of b, and how
// probable a difference of at least that size is when there is none (by the normal approximation,
// good from some 20 values; ties, rare among nanoseconds, count half).
func mannWhitney(a, b []float64) (share, p float64) {
	u := 0.0
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				u++
			case x == y:
				u += 0.5
			}
		}
	}
	n, m := float64(len(a)), float64(len(b))
	z := (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	return u / (n * m), math.Erfc(math.Abs(z) / math.Sqrt2)
}
