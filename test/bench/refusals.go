package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"roster/adapters/storage"
	"roster/adapters/storage/sqlite"
	"roster/domain/credential"
	"roster/domain/user"
)

// account is somebody whose sign-in is refused.
type account struct {
	name, email string
	encoded     string // the stored credential
	inactive    bool
}

// stranger has no account.
const stranger = "unknown@example.com"

// What a refused sign-in may meet. The hashes fit no password that anybody knows.
var accounts = []account{
	{name: "argon2id", email: "known@example.com", encoded: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
	{name: "inactive", email: "inactive@example.com", inactive: true, encoded: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
	{name: "unusable password", email: "unusable@example.com", encoded: "!"},
	{name: "pbkdf2_sha256, 260,000", email: "imported@example.com", encoded: "pbkdf2_sha256$260000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
	{name: "pbkdf2_sha256, 36,000", email: "old@example.com", encoded: "pbkdf2_sha256$36000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
}

// plant stores accounts in the embedded database of a data directory, as an import would.
func plant(ctx context.Context, data string) error {
	b, err := sqlite.Driver.Open(&url.URL{Scheme: "sqlite"}, storage.Options{DataDir: data})
	if err != nil {
		return err
	}
	if err := b.Start(ctx); err != nil {
		return err
	}
	for i, a := range accounts {
		u, err := user.Restore(user.Snapshot{
			ID: user.ID(fmt.Sprintf("00000000-0000-7000-8000-%012x", i)), Email: a.email, EmailKey: a.email, FirstName: "Ann", LastName: "Lee",
			Active: !a.inactive, Password: credential.RestoreHash(a.encoded), Joined: time.Unix(int64(i), 0).UTC(), Version: 1,
		})
		if err == nil {
			err = b.Users().Add(ctx, u)
		}
		if err != nil {
			return err
		}
	}
	return b.Close(ctx)
}

// refusals compares how long refused sign-ins take with how long they do for a stranger: whoever
// watches the clock must not learn who has an account, or of what kind it is. The tries of all take
// turns, in an order by chance, so that what else the machine does meets each alike.
func refusals(binary, dir string) error {
	const each, forWarmth = 250, 20
	ctx := context.Background()
	data := filepath.Join(dir, "refusals")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if err := plant(ctx, data); err != nil {
		return err
	}
	service, err := launchOn(binary, data, unlimited)
	if err != nil {
		return err
	}
	defer service.Kill()
	c, err := dial(service.Address)
	if err != nil {
		return err
	}
	defer c.close()

	kinds := append([]account{{name: "unknown", email: stranger}, {name: "unknown, another", email: "another@example.com"}}, accounts...)
	took := make([][]float64, len(kinds))
	order := make([]int, len(kinds))
	for i := range order {
		order[i] = i
	}
	for round := range each + forWarmth {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			begun := time.Now()
			if _, err := c.do("POST", "/api/token/", "", credentials(kinds[i].email, "not-the-password"), 401); err != nil {
				return err
			}
			if ms := float64(time.Since(begun).Nanoseconds()) / 1e6; round >= forWarmth {
				took[i] = append(took[i], ms)
			}
		}
	}
	fmt.Printf("\nrefused sign-ins, %d of each, beside those of an unknown address (Mann-Whitney U, two-sided)\n", each)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "account\tmedian ms\tp10\tp90\tlonger in\tp\t")
	for i, k := range kinds {
		s := slices.Sorted(slices.Values(took[i]))
		share, p := mannWhitney(took[i], took[0])
		fmt.Fprintf(out, "%s\t%.2f\t%.2f\t%.2f\t%.1f%%\t%.3f\t\n", k.name, s[each/2], s[each/10], s[each*9/10], 100*share, p)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return stop(service)
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
