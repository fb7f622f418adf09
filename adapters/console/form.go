package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"roster/domain/fault"
	"roster/domain/field"
)

// form is the state of a form: the values of its inputs, and what is wrong with them. The zero value is empty.
type form struct {
	values  url.Values
	faults  []fault.Field
	problem string            // about the form as a whole
	stored  map[string]string // after a conflict: values that another change has stored, by input
}

// posted returns the form of a request, which failed with p.
func posted(r *http.Request, p problem) form {
	f := form{values: r.PostForm, faults: p.fields}
	if len(p.fields) == 0 {
		f.problem = p.text
	}
	return f
}

func (f form) value(name string) string { return f.values.Get(name) }

// of returns the faults of an input.
func (f form) of(name string) (messages []string) {
	for _, x := range f.faults {
		if x.Name == name {
			messages = append(messages, x.Message)
		}
	}
	return messages
}

// others returns the faults of no input that is named, and the problem of the form.
func (f form) others(names ...string) (messages []string) {
	if f.problem != "" {
		messages = append(messages, f.problem)
	}
	for _, x := range f.faults {
		if !slices.Contains(names, x.Name) {
			messages = append(messages, x.Message)
		}
	}
	return messages
}

// described returns the ids of what describes an input, "" for nothing.
func (in input) described(f form) string {
	var ids []string
	if in.help != "" {
		ids = append(ids, in.name+"-help")
	}
	if _, ok := f.stored[in.name]; ok {
		ids = append(ids, in.name+"-stored")
	}
	if len(f.of(in.name)) > 0 {
		ids = append(ids, in.name+"-fault")
	}
	return strings.Join(ids, " ")
}

// given returns an input of a request as the field of a use case. An input that the form lacks is absent.
func given(r *http.Request, name string) field.Text {
	values, ok := r.PostForm[name]
	if !ok || len(values) == 0 {
		return field.Text{}
	}
	return field.Given(values[0])
}
