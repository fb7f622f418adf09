package config

import (
	"fmt"
	"strings"
)

// Table returns the settings as the table of docs/configuration.md.
func Table() string {
	var b strings.Builder
	b.WriteString("| setting | variable | default | meaning |\n|---|---|---|---|\n")
	for _, s := range specs {
		value := code(s.standard)
		if s.varies() {
			value = "by profile"
		}
		meaning := s.help
		if len(s.choices) > 0 {
			quoted := make([]string, len(s.choices))
			for i, c := range s.choices {
				quoted[i] = code(c)
			}
			meaning += " (" + strings.Join(quoted, ", ") + ")"
		}
		if s.secret != "" {
			meaning += "; or " + code(s.env+strings.ToUpper(fileSuffix)) + " names a file that holds it"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(s.name), code(s.env), value, cell(meaning))
	}
	return b.String()
}

// ProfilesTable returns the profiles as the table of docs/configuration.md.
func ProfilesTable() string {
	var b strings.Builder
	b.WriteString("| setting | `django` | `standard` | `strict` |\n|---|---|---|---|\n")
	for _, r := range Profiles() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(r.Setting), code(r.Django), code(r.Standard), code(r.Strict))
	}
	return b.String()
}

func code(text string) string {
	if text == "" {
		return "empty"
	}
	return "`" + cell(text) + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
