package main

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// Measures of the chart, in pixels.
const (
	chartWidth = 860
	labelWidth = 210
	barsWidth  = 540
	barHeight  = 15
	gap        = 10
)

// colours are those of the servers, in the order in which they appear.
var colours = []string{"#1f77b4", "#7fb3d8", "#b0b0b0"}

// chart returns the CPU time of each operation as an SVG picture. Those that hash a password take ten times as long as
// any other and are left out.
func (r *report) chart() string {
	var rows []row
	longest := 1.0
	var servers []string
	for _, w := range r.rows {
		if w.operation == "sign in" || w.operation == "register" {
			continue
		}
		rows = append(rows, w)
		longest = max(longest, w.cpu)
		if !slices.Contains(servers, w.server) {
			servers = append(servers, w.server)
		}
	}
	var out strings.Builder
	text := func(x, y int, style, s string) {
		fmt.Fprintf(&out, `<text x="%d" y="%d" %s>%s</text>`+"\n", x, y, style, html.EscapeString(s))
	}
	y := 24
	text(10, y, `font-size="16" font-weight="bold"`, "CPU time of the server for each request, in microseconds")
	y += 22
	for i, name := range servers {
		x := 10 + 150*i
		fmt.Fprintf(&out, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/>`+"\n", x, y-11, colours[i%len(colours)])
		text(x+18, y, "", name)
	}
	y += gap
	for i, w := range rows {
		if i == 0 || rows[i-1].operation != w.operation {
			y += gap
			text(10, y+barHeight-3, "", w.operation)
		}
		width := max(1, int(w.cpu/longest*barsWidth))
		colour := colours[slices.Index(servers, w.server)%len(colours)]
		fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", labelWidth, y, width, barHeight-2, colour)
		label := thousands(w.cpu)
		if w.floor > 0 && !w.isFloor {
			label += fmt.Sprintf("  (%.1f x)", w.cpu/w.floor)
		}
		text(labelWidth+width+6, y+barHeight-4, "", label)
		y += barHeight
	}
	y += 2*gap + 6
	text(10, y, `font-size="11"`, r.Database)
	y += 16
	text(10, y, `font-size="11"`, r.Machine)
	y += 14
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"
	font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="white"/>
%s</svg>
`, chartWidth, y, chartWidth, y, out.String())
}
