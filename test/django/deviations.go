package django

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxDeviations bounds the cases whose answers differ from the recorded ones.
const maxDeviations = 12

// LoadDeviations reads the cases whose answers differ on purpose, each with its reason.
func LoadDeviations(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readDeviations(f)
}

// readDeviations reads the Markdown table whose head is "| id | reason |".
func readDeviations(r io.Reader) (map[string]string, error) {
	out := map[string]string{}
	table := false
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		cells := strings.Split(strings.TrimSpace(lines.Text()), "|")
		if len(cells) != 4 || cells[0] != "" || cells[3] != "" {
			continue
		}
		id, reason := strings.Trim(strings.TrimSpace(cells[1]), "`"), strings.TrimSpace(cells[2])
		switch {
		case id == "id" && reason == "reason":
			table = true
		case !table || strings.Trim(id, ":-") == "":
		case reason == "":
			return nil, fmt.Errorf("%s has no reason", id)
		case out[id] != "":
			return nil, fmt.Errorf("%s is listed twice", id)
		default:
			out[id] = reason
		}
	}
	if !table {
		return nil, fmt.Errorf("no table with the head | id | reason |")
	}
	return out, lines.Err()
}
