package main

import (
	"context"
	"errors"
	"slices"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// question is a member that can be asked for.
type question struct {
	member string
	text   func(in *inbound.UserInput) *field.Text
	ask    func(ctx context.Context, t *terminal) (string, error)
}

func plainly(label string) func(context.Context, *terminal) (string, error) {
	return func(ctx context.Context, t *terminal) (string, error) { return t.ask(ctx, label) }
}

var (
	passwordQuestion = question{
		user.FieldPassword, func(in *inbound.UserInput) *field.Text { return &in.Password },
		func(ctx context.Context, t *terminal) (string, error) { return t.askPassword(ctx) },
	}
	questions = []question{
		{user.FieldEmail, func(in *inbound.UserInput) *field.Text { return &in.Email }, plainly("Email address")},
		{user.FieldFirstName, func(in *inbound.UserInput) *field.Text { return &in.FirstName }, plainly("First name")},
		{user.FieldLastName, func(in *inbound.UserInput) *field.Text { return &in.LastName }, plainly("Last name")},
		passwordQuestion,
	}
)

// insist asks for what in lacks and does do; what do refuses is told and asked for again.
func (t *terminal) insist(ctx context.Context, questions []question, in *inbound.UserInput, do func() error) error {
	for {
		for _, q := range questions {
			text := q.text(in)
			if text.Present() {
				continue
			}
			answer, err := q.ask(ctx, t)
			if err != nil {
				return err
			}
			*text = field.Given(answer)
		}
		err := do()
		refused, ok := errors.AsType[*fault.Error](err)
		if !ok || !forget(questions, in, refused.Fields) {
			return err
		}
		t.tell(fieldLines(refused)...)
	}
}

// forget empties the members at fault, so that they are asked for again. It reports false when there
// are none, or some that cannot be asked for.
func forget(questions []question, in *inbound.UserInput, faults []fault.Field) bool {
	for _, f := range faults {
		i := slices.IndexFunc(questions, func(q question) bool { return q.member == f.Name })
		if i < 0 {
			return false
		}
		*questions[i].text(in) = field.Text{}
	}
	return len(faults) > 0
}
