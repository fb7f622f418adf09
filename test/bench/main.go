// Command bench measures the built service beside a bare net/http + gorilla/mux server that does the
// same JSON over a map, with the same closed-loop client in the same run: what the service costs over
// what HTTP in Go costs anyway. Figures of two machines, or two runs, are not for comparing; ratios are.
//
//	go run ./test/bench [-seconds 3] [-connections 8] [-only NAME] [-refusals]
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"roster/test/support/process"
)

func main() {
	var o options
	flag.Float64Var(&o.seconds, "seconds", 3, "how long each operation is measured")
	flag.IntVar(&o.connections, "connections", 8, "connections, each with one request at a time")
	flag.StringVar(&o.only, "only", "", "measure only operations whose name contains this")
	flag.BoolVar(&o.refusals, "refusals", false, "measure only how long refused sign-ins take")
	flag.BoolVar(&o.bare, "bare", false, "serve as the bare server (the program starts itself so)")
	flag.Parse()
	run := o.run
	if o.bare {
		run = serveBare
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	seconds     float64
	connections int
	only        string
	bare        bool
	refusals    bool
}

// settings are those of the measured service: the defaults, but for tokens that outlive a long run.
var settings = map[string]string{"ROSTER_ACCESS_TOKEN_LIFETIME": "12h"}

// unlimited lets one client sign in and register as fast as it can, wrong passwords too.
var unlimited = map[string]string{"ROSTER_LOCKOUT_FAILURES": "0", "ROSTER_LOCKOUT_ADDRESS_FAILURES": "0"}

func (o options) run() error {
	binary, err := process.Build()
	defer process.Clean()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "roster-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	fmt.Printf("%s %s/%s, %d CPUs (GOMAXPROCS %d), %d connections, %g s an operation, %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), runtime.GOMAXPROCS(0), o.connections, o.seconds, time.Now().UTC().Format(time.DateOnly))
	if o.refusals {
		return refusals(binary, dir)
	}
	if err := startups(binary, dir); err != nil {
		return err
	}
	service, err := launch(binary, dir, "load", unlimited)
	if err != nil {
		return err
	}
	defer service.Kill()
	bare, err := startBare()
	if err != nil {
		return err
	}
	defer bare.stop()
	for _, address := range []string{service.Address, bare.address} {
		if err := populate(address); err != nil {
			return err
		}
	}
	if err := o.compare(service.Address, bare.address); err != nil {
		return err
	}
	if rss, err := service.RSS(); err == nil {
		fmt.Printf("\nresident after the load  %.1f MB\n", megabytes(rss))
	}
	if err := stop(service); err != nil {
		return err
	}
	if strings.Contains("import", o.only) {
		if err := imports(binary, dir); err != nil {
			return err
		}
	}
	if err := refusals(binary, dir); err != nil {
		return err
	}
	if !strings.Contains("login flood", o.only) {
		return nil
	}
	return floods(binary, dir)
}

// stop ends the service, which must end well.
func stop(p *process.Process) error {
	code, err := p.Stop()
	if err == nil && code != 0 {
		err = fmt.Errorf("the service stopped with exit code %d", code)
	}
	return err
}

// launch starts the service with a data directory of its own and more settings.
func launch(binary, dir, name string, more map[string]string) (*process.Process, error) {
	data, err := os.MkdirTemp(dir, name)
	if err != nil {
		return nil, err
	}
	return launchOn(binary, data, more)
}

// launchOn starts the service on a data directory.
func launchOn(binary, data string, more map[string]string) (*process.Process, error) {
	env := maps.Clone(settings)
	maps.Copy(env, more)
	o := process.Options{Binary: binary, DataDir: data, Env: env, Log: new(process.Log)}
	p, err := process.Launch(o)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, o.Log)
	}
	return p, nil
}

// startups tells how long the service takes until it is ready, and what it then holds.
func startups(binary, dir string) error {
	const runs = 7
	var took []time.Duration
	var held []int64
	for range runs {
		p, err := launch(binary, dir, "start", nil)
		if err != nil {
			return err
		}
		rss, err := p.RSS()
		if err != nil {
			return err
		}
		took, held = append(took, p.Startup), append(held, rss)
		if err := stop(p); err != nil {
			return err
		}
	}
	fmt.Printf("start to ready  %d ms (median of %d, empty data directory)\n", median(took).Milliseconds(), runs)
	fmt.Printf("resident, idle  %.1f MB (median of %d)\n\n", megabytes(median(held)), runs)
	return nil
}

// populate registers as many users as a page of the list holds.
func populate(address string) error {
	c, err := dial(address)
	if err != nil {
		return err
	}
	defer c.close()
	for range pageSize {
		if _, err := c.do("POST", "/api/users/", "", registration(newEmail()), 201); err != nil {
			return err
		}
	}
	return nil
}

// compare measures each operation against both servers and prints the table.
func (o options) compare(service, bare string) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "operation\treq/s\tp50 ms\tp99 ms\tbare req/s\tp50 ms\tp99 ms\tratio\t")
	for _, op := range operations {
		if !strings.Contains(op.name, o.only) {
			continue
		}
		us, err := o.measure(service, op)
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		them, err := o.measure(bare, op)
		if err != nil {
			return fmt.Errorf("%s, bare: %w", op.name, err)
		}
		fmt.Fprintf(out, "%s\t%.0f\t%s\t%s\t%.0f\t%s\t%s\t%.3f\t\n", op.name,
			us.rate, ms(us.p50), ms(us.p99), them.rate, ms(them.p50), ms(them.p99), us.rate/them.rate)
	}
	return out.Flush()
}

func median[T int64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }

func megabytes(n int64) float64 { return float64(n) / 1e6 }
