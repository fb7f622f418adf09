package mail

import (
	"embed"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template/parse"
	"time"
	"unicode"

	"golang.org/x/text/language"

	"roster/domain/mail"
	"roster/ports/outbound"
)

//go:embed templates
var embedded embed.FS

// Languages of the built-in templates. The first one is for readers of none of them.
var languages = []language.Tag{language.English, language.German, language.French, language.Spanish}

var matcher = language.NewMatcher(languages)

// The parts of a mail: the extensions of templates.
const (
	subjectPart = "subject"
	textPart    = "txt"
	htmlPart    = "html"
)

var parts = []string{subjectPart, textPart, htmlPart}

// fields are the values that a template may use, in the syntax of text/template: {{.Field}}, and {{if .Field}} with {{else}}
// and {{end}} for a value that may be empty.
//
// The package text/template is only used to parse. It finds methods by name, so with its Execute the linker would keep every
// exported method of the program.
type fields struct {
	Site     string
	Link     string
	Lifetime string // of the link, in words; empty when the letter has none
	Code     string // for pages without scripts
	To       string // the address of the user
	Address  string // the new address
	Detail   string
	Time     string // when the mail was caused
}

// get returns the value of a field, and whether there is such a field.
func (f *fields) get(name string) (string, bool) {
	switch name {
	case "Site":
		return f.Site, true
	case "Link":
		return f.Link, true
	case "Lifetime":
		return f.Lifetime, true
	case "Code":
		return f.Code, true
	case "To":
		return f.To, true
	case "Address":
		return f.Address, true
	case "Detail":
		return f.Detail, true
	case "Time":
		return f.Time, true
	}
	return "", false
}

// templates are the checked templates by LANGUAGE/KIND.PART.
type templates map[string]*parse.ListNode

// loadTemplates returns the built-in templates, replaced file by file by those of dir, unless that is "". It fails with the
// name of the file, and the line, of a template that is wrong, and for files in dir that are none.
func loadTemplates(dir string) (templates, error) {
	t := templates{}
	for _, tag := range languages {
		for _, kind := range mail.Kinds() {
			for _, part := range parts {
				t[tag.String()+"/"+string(kind)+"."+part] = nil
			}
		}
	}
	for name := range t {
		file := path.Join("templates", name)
		text, err := embedded.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if t[name], err = parseTemplate(file, string(text)); err != nil {
			return nil, err
		}
	}
	if dir == "" {
		return t, nil
	}
	own := os.DirFS(dir)
	err := fs.WalkDir(own, ".", func(name string, e fs.DirEntry, err error) error {
		file := filepath.Join(dir, filepath.FromSlash(name))
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", file, err)
		case e.IsDir() || strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), "~"):
			return nil
		}
		if _, ok := t[name]; !ok {
			return fmt.Errorf("%s: not the name of a template: want LANGUAGE/KIND.PART, such as en/password_reset.txt", file)
		}
		text, err := fs.ReadFile(own, name)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		t[name], err = parseTemplate(file, string(text))
		return err
	})
	return t, err
}

// parseTemplate parses and checks the template of a file. A subject must have one line that is not empty.
func parseTemplate(file, text string) (*parse.ListNode, error) {
	trees, err := parse.Parse(file, text, "", "")
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "template: ")) // FILE:LINE: REASON
	}
	tree := trees[file]
	if len(trees) != 1 || tree == nil {
		return nil, fmt.Errorf("%s:1: the template is empty, or defines others", file)
	}
	sample := &fields{"Example", "L", "24 hours", "C", "T", "A", "D", "N"}
	var b strings.Builder
	if err := check(tree, tree.Root); err != nil {
		return nil, err
	}
	execute(&b, tree.Root, sample, nil)
	switch result := strings.TrimSpace(b.String()); {
	case result == "":
		return nil, fmt.Errorf("%s:1: the template is empty", file)
	case path.Ext(file) == "."+subjectPart && strings.ContainsAny(result, "\r\n"):
		return nil, fmt.Errorf("%s:2: a subject has one line", file)
	}
	return tree.Root, nil
}

// check fails for what execute does not know.
func check(tree *parse.Tree, list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
		case *parse.ActionNode:
			if err := checkField(tree, n, n.Pipe); err != nil {
				return err
			}
		case *parse.IfNode:
			if err := errors.Join(checkField(tree, n, n.Pipe), check(tree, n.List), check(tree, n.ElseList)); err != nil {
				return err
			}
		default:
			return wrong(tree, n, "a template has only {{.Field}}, {{if .Field}}, {{else}} and {{end}}")
		}
	}
	return nil
}

func checkField(tree *parse.Tree, n parse.Node, pipe *parse.PipeNode) error {
	name := field(pipe)
	if name == "" {
		return wrong(tree, n, "not a field, such as {{.Link}}")
	}
	if _, ok := new(fields).get(name); !ok {
		return wrong(tree, n, "no field "+name)
	}
	return nil
}

func wrong(tree *parse.Tree, n parse.Node, reason string) error {
	where, text := tree.ErrorContext(n)
	return fmt.Errorf("%s: %s: %s", where, text, reason)
}

// field returns the name of the field that is all of a pipe, or "".
func field(pipe *parse.PipeNode) string {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return ""
	}
	f, ok := pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok || len(f.Ident) != 1 {
		return ""
	}
	return f.Ident[0]
}

// execute writes the result of a checked template. Values go through escape, unless it is nil.
func execute(b *strings.Builder, list *parse.ListNode, f *fields, escape func(string) string) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			b.Write(n.Text)
		case *parse.ActionNode:
			value, _ := f.get(field(n.Pipe))
			if escape != nil {
				value = escape(value)
			}
			b.WriteString(value)
		case *parse.IfNode:
			chosen := n.List
			if value, _ := f.get(field(n.Pipe)); value == "" {
				chosen = n.ElseList
			}
			execute(b, chosen, f, escape)
		}
	}
}

// render returns the text of a letter in the best of its languages.
func (s *Sender) render(l outbound.Letter) (mail.Text, error) {
	if !slices.Contains(mail.Kinds(), l.Kind) {
		return mail.Text{}, fmt.Errorf("no kind of mail: %q", l.Kind)
	}
	tag := best(l.Languages)
	f := &fields{
		Site: s.site, Link: l.Link, Lifetime: inWords(l.Lifetime, tag), Code: l.Code, To: oneLine(l.To), Address: oneLine(l.Address),
		Detail: oneLine(l.Detail), Time: l.Queued.UTC().Format("2006-01-02 15:04 UTC"),
	}
	result := func(part string, escape func(string) string) string {
		var b strings.Builder
		execute(&b, s.templates[tag+"/"+string(l.Kind)+"."+part], f, escape)
		return strings.TrimSpace(b.String())
	}
	return mail.Text{
		Subject: oneLine(result(subjectPart, nil)),
		Text:    result(textPart, nil) + "\n",
		HTML:    result(htmlPart, html.EscapeString) + "\n",
	}, nil
}

// best returns the language of the templates for a list of preferences: tags, or values of Accept-Language.
func best(preferred []string) string {
	var tags []language.Tag
	for _, text := range preferred {
		if more, _, err := language.ParseAcceptLanguage(text); err == nil {
			tags = append(tags, more...)
		}
	}
	_, i, _ := matcher.Match(tags...)
	return languages[i].String()
}

// units are the words for an amount of time: days, hours, minutes, seconds; one, several.
var units = map[string][4][2]string{
	"en": {{"day", "days"}, {"hour", "hours"}, {"minute", "minutes"}, {"second", "seconds"}},
	"de": {{"Tag", "Tage"}, {"Stunde", "Stunden"}, {"Minute", "Minuten"}, {"Sekunde", "Sekunden"}},
	"fr": {{"jour", "jours"}, {"heure", "heures"}, {"minute", "minutes"}, {"seconde", "secondes"}},
	"es": {{"día", "días"}, {"hora", "horas"}, {"minuto", "minutos"}, {"segundo", "segundos"}},
}

// inWords returns d in the largest unit of which it is a multiple, days from two on; "" for less than a second.
func inWords(d time.Duration, tag string) string {
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n := d / unit
		if n < 1 || d%unit != 0 && unit != time.Second || i == 0 && n < 2 {
			continue
		}
		words := units[tag][i]
		if n == 1 {
			return "1 " + words[0]
		}
		return fmt.Sprintf("%d %s", n, words[1])
	}
	return ""
}

// oneLine returns text with each run of white space and control characters as one space.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp)
	}), " ")
}
