package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"
)

//go:embed performance.md.tmpl
var layout string

// report collects what was measured.
type report struct {
	Command, Machine, Database, Method string

	rows    []row
	figures [][]string
	text    string // the Markdown, once it is written
}

// row is an operation on one server.
type row struct {
	operation, server string
	rate, cpu, floor  float64 // floor is the CPU time of the floor, 0 where it cannot do that
	p50, p99, p999    time.Duration
	measured          int // latencies
	offered, memory   float64
	bar               string // what the CPU time may be; "" for no limit
	isFloor, within   bool
}

// describe notes what is measured, and how.
func (r *report) describe(o options) {
	r.Machine = fmt.Sprintf("%s, %s/%s, %d CPUs, commit %s, %s", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), commit(),
		time.Now().UTC().Format(time.DateOnly))
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.Machine += ", load average before the run " + strings.Fields(string(load))[0]
	}
	r.Database, r.Command = "SQLite (synchronous=FULL)", "make bench"
	if o.users != 10_000 {
		r.Command += fmt.Sprintf(" USERS=%d", o.users)
	}
	if o.database != "" {
		r.Database = "PostgreSQL (its own CPU time is not counted)"
		r.Command += " DATABASE=postgres"
	}
	r.Database += fmt.Sprintf(", %s users", thousands(float64(o.users)))
	r.Method = fmt.Sprintf("%d rounds of %g s. %d clients for refreshes, changes and the mix, %d for the rest", o.rounds, o.seconds,
		o.clients, o.few())
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// add adds a row: medians of the rounds, and quantiles of the latencies of all rounds.
func (r *report) add(o operation, s *subject, floor float64, isFloor bool) {
	slices.Sort(s.latencies)
	w := row{
		operation: o.name, server: s.name, rate: median(s.rates), cpu: median(s.cpu), floor: floor, offered: median(s.offered), memory: s.memory,
		p50: quantile(s.latencies, 0.5), p99: quantile(s.latencies, 0.99), p999: quantile(s.latencies, 0.999), measured: len(s.latencies),
		isFloor: isFloor,
	}
	switch {
	case isFloor:
	case o.floors > 0 && floor > 0:
		w.bar, w.within = fmt.Sprintf("%.1f x", o.floors), w.cpu <= o.floors*floor
	case o.micros > 0:
		w.bar, w.within = micros(o.micros), w.cpu <= o.micros
	}
	r.rows = append(r.rows, w)
}

// figure adds a single figure. limit is empty where there is none.
func (r *report) figure(name, value, limit string, within bool) {
	r.figures = append(r.figures, []string{name, value, verdict(limit, within)})
}

func verdict(limit string, within bool) string {
	switch {
	case limit == "":
		return ""
	case within:
		return limit + ": pass"
	default:
		return limit + ": short"
	}
}

// Operations is the table of operations.
func (r *report) Operations() string {
	table := [][]string{{"operation", "server", "requests/s", "CPU µs", "x floor", "bar", "p50 ms", "p99 ms", "p99.9 ms", "at requests/s",
		"memory MB"}}
	for _, w := range r.rows {
		ratio, rare := "", "–"
		if w.floor > 0 && !w.isFloor {
			ratio = fmt.Sprintf("%.2f", w.cpu/w.floor)
		}
		if w.measured >= 1000 {
			rare = short(w.p999)
		}
		table = append(table, []string{
			w.operation, w.server, thousands(w.rate), thousands(w.cpu), ratio, verdict(w.bar, w.within), short(w.p50), short(w.p99), rare,
			thousands(w.offered), thousands(w.memory),
		})
	}
	return markdown(table, 2)
}

// Figures is the table of everything else.
func (r *report) Figures() string {
	return markdown(append([][]string{{"figure", "value", "bar"}}, r.figures...), 3)
}

func short(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1000) }

// markdown returns a table, whose columns are aligned to the right from one on.
func markdown(rows [][]string, right int) string {
	widths := make([]int, len(rows[0]))
	for _, cells := range rows {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c), 2)
		}
	}
	rule := make([]string, len(widths))
	for i, w := range widths {
		if rule[i] = strings.Repeat("-", w); i >= right {
			rule[i] = rule[i][1:] + ":"
		}
	}
	var out strings.Builder
	for _, cells := range slices.Insert(slices.Clone(rows), 1, rule) {
		for i, c := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i >= right {
				c = pad + c
			} else {
				c += pad
			}
			out.WriteString("| " + c + " ")
		}
		out.WriteString("|\n")
	}
	return strings.TrimSpace(out.String())
}

// write writes the report and its picture to the folder of o.
func (r *report) write(o options) error {
	t, err := template.New("report").Parse(layout)
	if err != nil {
		return err
	}
	var out strings.Builder
	if err := t.Execute(&out, r); err != nil {
		return err
	}
	r.text = out.String()
	if err := os.MkdirAll(o.out, 0o750); err != nil {
		return err
	}
	text, picture := outputs(o.out)
	return errors.Join(os.WriteFile(text, []byte(r.text), 0o644), os.WriteFile(picture, []byte(r.chart()), 0o644))
}
