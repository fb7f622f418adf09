package sqlite

import (
	"fmt"
	"testing"
	"time"

	"roster/domain/user"
)

// BenchmarkList reads pages among 100,000 users: in every order, with filters that few, many and no users match.
func BenchmarkList(b *testing.B) {
	s := crowded(b, 100_000)
	yes, no := true, false
	for _, c := range []struct {
		name string
		f    user.Filter
	}{
		{"all", user.Filter{}},
		{"active", user.Filter{Active: &yes}},
		{"inactive", user.Filter{Active: &no}},
		{"inactive staff", user.Filter{Active: &no, Staff: &yes}},
		{"none has", user.Filter{Terms: []string{"absent"}}},
		{"one has", user.Filter{Terms: []string{"user4242@"}}},
		{"100 have", user.Filter{Terms: []string{"first77\n"}}},
		{"the last tenth have", user.Filter{Terms: []string{"@late.example"}}},
		{"all have", user.Filter{Terms: []string{"example"}}},
		{"none has both", user.Filter{Terms: []string{"first1", "user2", "last3", "@late"}}},
		{"short, none has", user.Filter{Terms: []string{"zq"}}},
		{"short, 20 have", user.Filter{Terms: []string{"t4\n", "00"}}},
		{"short, all have", user.Filter{Terms: []string{"us"}}},
		{"short, none has all", user.Filter{Terms: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}}},
	} {
		for _, by := range []string{"id", "email", "last_name", "last_name,first_name", "-date_joined"} {
			b.Run(fmt.Sprintf("%s/by %s", c.name, by), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Users().List(b.Context(), user.Query{Filter: c.f, Order: user.Ordering(by), Limit: 21}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(c.name+"/count", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Users().Count(b.Context(), c.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAdd adds users to none and to 100,000. It includes the time that the disk needs to sync.
func BenchmarkAdd(b *testing.B) {
	for _, users := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("to %d", users), func(b *testing.B) {
			s := crowded(b, users)
			for i := users + 1; b.Loop(); i++ {
				u, err := user.Restore(distinctUser(i))
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Users().Add(b.Context(), u); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPut imports users, a thousand at a time, to none and to 100,000.
func BenchmarkPut(b *testing.B) {
	const batch = 1000
	for _, users := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("to %d", users), func(b *testing.B) {
			s := crowded(b, users)
			next, put := users+1, 0
			for b.Loop() {
				us := make([]user.Snapshot, batch)
				for i := range us {
					us[i] = distinctUser(next)
					next++
				}
				if _, err := s.Archive().Users().Put(b.Context(), us); err != nil {
					b.Fatal(err)
				}
				put += batch
			}
			b.ReportMetric(float64(put)/b.Elapsed().Seconds(), "users/s")
		})
	}
}

// distinctUser returns a user that differs from all others in the fields that are sorted and searched.
func distinctUser(i int) user.Snapshot {
	email := fmt.Sprintf("someone.%d@example.com", i*7919)
	return user.Snapshot{
		ID: user.IntegerID(int64(i)), Email: email, EmailKey: email, FirstName: fmt.Sprintf("First%d", i%997), LastName: fmt.Sprintf("Last%d", i%4999),
		Active: true, Joined: time.UnixMilli(int64(1_700_000_000_000 + i)).UTC(), Version: 1,
	}
}
