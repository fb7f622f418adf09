package console

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"roster/ports/inbound"
)

// overviewPath is the first page, which a page without a section is not.
const overviewPath = "./"

// overviewRoutes is the first page.
var overviewRoutes = []route{{http.MethodGet, "", (*server).showOverview, false}}

// paramRange is the time that the charts show: rangeHours, or days.
const (
	paramRange = "range"
	rangeHours = "hours"
)

// overviewView is what the first page shows.
type overviewView struct {
	about   inbound.About
	summary inbound.Summary
	hours   bool
	counts  []inbound.Counts
	charts  []chart
}

// chart is a bar chart of one kind of event over time.
type chart struct {
	title  string
	class  string
	note   string // what the events are
	values []int
	bars   []bar
	total  int
	most   int
}

// bar is a bar of a chart, in the units of its view box.
type bar struct {
	x, y, height int
	title        string
}

// The view box of a chart.
const (
	chartHeight = 60
	barStep     = 10
	barWidth    = 8
)

func (c chart) viewBox() string { return fmt.Sprintf("0 0 %d %d", len(c.values)*barStep, chartHeight) }

// label describes a chart for a reader that cannot see it.
func (c chart) label(over string) string {
	return fmt.Sprintf("%s over %s: %d in all, at most %d in one bar", c.title, over, c.total, c.most)
}

// newChart returns the chart of values, of which a value above 0 is at least one unit high.
func newChart(title, class, note string, counts []inbound.Counts, hours bool, value func(inbound.Counts) int) chart {
	c := chart{title: title, class: class, note: note}
	for _, of := range counts {
		n := value(of)
		c.values = append(c.values, n)
		c.total, c.most = c.total+n, max(c.most, n)
	}
	for i, n := range c.values {
		height := n * chartHeight / max(c.most, 1)
		if n > 0 {
			height = max(height, 1)
		}
		c.bars = append(c.bars, bar{i * barStep, chartHeight - height, height, fmt.Sprintf("%s: %d", period(counts[i].From, hours), n)})
	}
	return c
}

// period returns the time of a bar in words.
func period(from time.Time, hours bool) string {
	if hours {
		return from.UTC().Format("2006-01-02 15:04")
	}
	return from.UTC().Format("2006-01-02")
}

func (s *server) showOverview(w http.ResponseWriter, r *http.Request, v *visit) error {
	view := overviewView{hours: v.query.Get(paramRange) == rangeHours}
	var err error
	if view.about, err = s.Overview.About(r.Context(), v.Actor); err != nil {
		return err
	}
	if view.summary, err = s.Overview.Summary(r.Context(), v.Actor); err != nil {
		return err
	}
	view.counts = view.summary.Days
	if view.hours {
		view.counts = view.summary.Hours
	}
	for _, c := range []struct {
		title, class, note string
		value              func(inbound.Counts) int
	}{
		{"Sign-ins", "", "", func(c inbound.Counts) int { return c.SignIns }},
		{"Failed sign-ins", "failed", "Repetitions for addresses without an account count once a minute.",
			func(c inbound.Counts) int { return c.Failures }},
		{"Locks", "failed", "Failed sign-ins after which the next one has to wait.", func(c inbound.Counts) int { return c.Locks }},
		{"Mails with a link", "", "", func(c inbound.Counts) int { return c.Mails }},
		{"New users", "", "Without imported ones.", func(c inbound.Counts) int { return c.Registrations }},
	} {
		view.charts = append(view.charts, newChart(c.title, c.class, c.note, view.counts, view.hours, c.value))
	}
	return s.show(r.Context(), w, v, page{title: "Overview", section: overviewPath, body: overviewPage(v, view)})
}

// over is the time of the charts in words.
func (o overviewView) over() string {
	if o.hours {
		return "24 hours"
	}
	return "30 days"
}

// atMost returns a count that ends at a limit.
func atMost(n, limit int) string {
	if n >= limit {
		return number(limit) + " or more"
	}
	return number(n)
}

// number returns n with its thousands apart.
func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
