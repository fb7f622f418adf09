package main

import (
	"context"
	"errors"
	"slices"

	"roster/cmd/roster/console"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// question is a member that can be asked for.
type question struct {
	member string
	label  string
	text   func(in *inbound.UserInput) *field.Text
	hidden bool // the answer is not shown, and is typed twice
	empty  bool // the answer may be empty
}

var (
	passwordQuestion = question{member: user.FieldPassword, label: "Password", text: func(in *inbound.UserInput) *field.Text { return &in.Password }, hidden: true}
	questions        = []question{
		{member: user.FieldEmail, label: "Email address", text: func(in *inbound.UserInput) *field.Text { return &in.Email }},
		{member: user.FieldFirstName, label: "First name (may be empty)", text: func(in *inbound.UserInput) *field.Text { return &in.FirstName }, empty: true},
		{member: user.FieldLastName, label: "Last name (may be empty)", text: func(in *inbound.UserInput) *field.Text { return &in.LastName }, empty: true},
		passwordQuestion,
	}
)

// form asks for the members of a user.
type form struct {
	*console.Terminal
	questions []question
	rules     string                                                // shown before a password is asked for
	judge     func(context.Context, inbound.UserInput) error        // refuses members that are given
	do        func(ctx context.Context, in inbound.UserInput) error // is called with all of them
}

// fill asks for what in lacks and calls do. What judge or do refuses is shown and asked for again at once.
func (f form) fill(ctx context.Context, in inbound.UserInput) error {
	err := f.judge(ctx, in)
	for {
		if err := f.refused(&in, err); err != nil {
			return err
		}
		for _, q := range f.questions {
			if err := f.ask(ctx, q, &in); err != nil {
				return err
			}
		}
		if err = f.do(ctx, in); err == nil {
			return nil
		}
	}
}

// ask asks for one member, unless in has it, until judge takes the answer.
func (f form) ask(ctx context.Context, q question, in *inbound.UserInput) error {
	text := q.text(in)
	if q.hidden && !text.Present() {
		f.Print(f.rules)
	}
	for !text.Present() {
		answer, err := f.Ask(ctx, q.label, q.hidden)
		if err != nil {
			return err
		}
		if answer == "" && q.empty {
			return nil
		}
		*text = field.Given(answer)
		if err := f.refused(in, f.judge(ctx, *in)); err != nil {
			return err
		}
		if !q.hidden || !text.Present() {
			continue
		}
		again, err := f.Ask(ctx, q.label+" (again)", true)
		if err != nil {
			return err
		}
		if again != answer {
			f.Print("The two passwords are not the same.")
			*text = field.Text{}
		}
	}
	return nil
}

// refused shows what err refuses and empties these members, so that they are asked for. It returns err where it
// is about anything else.
func (f form) refused(in *inbound.UserInput, err error) error {
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok || len(refusal.Fields) == 0 {
		return err
	}
	for _, one := range refusal.Fields {
		i := slices.IndexFunc(f.questions, func(q question) bool { return q.member == one.Name })
		if i < 0 {
			return err
		}
		*f.questions[i].text(in) = field.Text{}
	}
	f.Print(fieldLines(refusal)...)
	return nil
}
