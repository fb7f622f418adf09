// Command bench measures the built service beside the floor, the plainest server with the same duties, in one run.
// `make bench` runs it. docs/performance.md, which it wrote, says what the figures mean.
//
// The environment changes what is measured:
//
//	USERS=10000       users in the database
//	DATABASE=         empty for SQLite; postgres for a private server; or the postgres:// URL of an empty database
//	ROUNDS=5          rounds, of which a median is taken
//	SECONDS=2         how long each operation is measured in a round, in each of the two ways
//	CLIENTS=64        clients of the operations that share commits, and of the flood; the others have a quarter
//	ONLY=             measure only operations and figures whose name contains this
//	BENCH_DIR=bin/bench  where seeded databases are kept, and each run has its own
//	REPORT=BENCH_DIR  the folder in which performance.md and performance.svg are written
//	ROSTER_BINARY=    the binary to measure instead of a new build
//
// With -refusals it compares the times of refused sign-ins instead.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"roster/test/support/process"
)

// options are what the environment says.
type options struct {
	users    int
	database string // "" for SQLite
	rounds   int
	clients  int
	seconds  float64
	only     string
	dir, out string
}

func main() {
	refused := flag.Bool("refusals", false, "compare the times of refused sign-ins")
	flag.Parse()
	run := measure
	if *refused {
		run = refusals
	}
	err := run()
	process.Clean()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure() error {
	o, err := optionsOf(os.Getenv)
	if err != nil {
		return err
	}
	binary, err := process.BuildRelease()
	if err != nil {
		return err
	}
	b := &bench{options: o, binary: binary}
	if o.database == "postgres" {
		server, err := startPostgres()
		defer server.end()
		if err != nil {
			return err
		}
		b.database = server.url
	}
	if err := b.run(); err != nil {
		return err
	}
	fmt.Println(b.report.text)
	return nil
}

// optionsOf reads the options from an environment.
func optionsOf(env func(string) string) (options, error) {
	value := func(name, standard string) string {
		if v := env(name); v != "" {
			return v
		}
		return standard
	}
	users, err1 := strconv.Atoi(value("USERS", "10000"))
	rounds, err2 := strconv.Atoi(value("ROUNDS", "5"))
	seconds, err3 := strconv.ParseFloat(value("SECONDS", "2"), 64)
	clients, err5 := strconv.Atoi(value("CLIENTS", "64"))
	dir, err4 := filepath.Abs(value("BENCH_DIR", filepath.Join("bin", "bench")))
	o := options{users: users, rounds: rounds, seconds: seconds, clients: clients, only: env("ONLY"), database: env("DATABASE"), dir: dir}
	o.out = value("REPORT", o.dir)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return o, err
	}
	if o.users < 1000 || o.rounds < 1 || o.seconds <= 0 || o.clients < 1 || o.clients > 500 {
		return o, errors.New("USERS must be at least 1000, ROUNDS at least 1, SECONDS above 0, CLIENTS from 1 to 500")
	}
	return o, nil
}
