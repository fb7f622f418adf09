package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/cmd/roster/console"
	"roster/domain/mail"
	"roster/ports/inbound"
)

func (p *program) mailCommand() *cobra.Command {
	return group("mail", "List and retry queued mails, test the mail server, show the texts of mails",
		p.mailListCommand(), p.mailRetryCommand(), p.mailTestCommand(), p.mailPreviewCommand())
}

// mailStates are the values of --state.
var mailStates = []string{string(mail.Waiting), string(mail.Sent), string(mail.Failed), string(mail.Dropped)}

// mailPage is how many mails are read at once.
const mailPage = 500

func (p *program) mailListCommand() *cobra.Command {
	state := &textFlag{kind: "state", choices: mailStates}
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the queued mails and those of the last days, the newest first",
		Long: "List the mails in the queue, the newest first: waiting ones, sent ones, failed ones, which were given up,\n" +
			"and dropped ones, which were not to be sent any more. Finished mails are deleted after some days. The\n" +
			"queue contains no links.",
		Example: "  roster mail list --state failed",
		Args:    arguments(),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(state, "state", "only mails in this `state`: "+strings.Join(mailStates, ", "))
	must(cmd.RegisterFlagCompletionFunc("state", choices(mailStates...)))
	cmd.Flags().IntVar(&limit, "limit", 0, "`most` mails to list; 0 for all")
	inJSON := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if limit < 0 {
			return misuse(cmd, "--limit must not be negative")
		}
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		return bootstrap.AdministerMails(cmd.Context(), cfg, bootstrap.Read, func(ctx context.Context, q inbound.MailQueue) error {
			return mailList.Print(p.stdout, inJSON(), func(add func(*mail.Mail) error) error {
				return eachMail(ctx, q, mail.State(state.text), limit, add)
			})
		})
	}
	return cmd
}

// eachMail calls add with the mails in a state, at most limit unless that is 0.
func eachMail(ctx context.Context, q inbound.MailQueue, state mail.State, limit int, add func(*mail.Mail) error) error {
	query := mail.Query{State: state, Limit: mailPage}
	for left := limit; limit == 0 || left > 0; left -= query.Limit {
		if limit > 0 {
			query.Limit = min(left, mailPage)
		}
		page, err := q.List(ctx, query)
		if err != nil {
			return err
		}
		for _, m := range page {
			if err := add(m); err != nil {
				return err
			}
		}
		if len(page) < query.Limit {
			return nil
		}
		query.Before = page[len(page)-1].ID()
	}
	return nil
}

func (p *program) mailRetryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retry ID",
		Short: "Send a mail of the queue again, whatever its state",
		Long: "Make a mail of the queue due now, whatever its state. A running service sends it, with a new link if it has\n" +
			"one; not if the account has changed since. roster mail list shows the ids.",
		Args:              arguments("ID (of a mail)"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		if err := bootstrap.MailIsOff(cfg); err != nil {
			return err
		}
		return bootstrap.AdministerMails(cmd.Context(), cfg, bootstrap.Write, func(ctx context.Context, q inbound.MailQueue) error {
			m, err := q.Retry(ctx, mail.ID(args[0]))
			if errors.Is(err, mail.ErrNotFound) {
				return fmt.Errorf("there is no mail %q", args[0])
			}
			if errors.Is(err, mail.ErrNotDue) {
				return fmt.Errorf("an attempt to send the mail %q is under way; if its process ended, another begins within %s", args[0], mail.Lease)
			}
			if err != nil {
				return err
			}
			s := m.Snapshot()
			_, err = fmt.Fprintf(p.stdout, "The mail %s to %s is due now; a running service sends it.\n", s.Kind, console.Visible(s.To))
			return err
		})
	}
	return cmd
}

func (p *program) mailTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test ADDRESS",
		Short: "Send one mail now, and show what the mail server answers",
		Long: "Send one mail to an address now, with the settings, and show what the mail server answers. Neither the\n" +
			"queue nor the database is used.",
		Example:           "  roster mail test postmaster@example.org",
		Args:              arguments("ADDRESS"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.load(cmd)
			if err != nil {
				return err
			}
			outcome, err := bootstrap.SendTestMail(cmd.Context(), cfg, args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, console.Visible(outcome))
			return err
		},
	}
}

// mailKinds returns the names of all kinds of mails.
func mailKinds() []string {
	var names []string
	for _, k := range mail.Kinds() {
		names = append(names, string(k))
	}
	return names
}

func (p *program) mailPreviewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preview KIND",
		Short: "Show the subject, the text and the HTML of a mail",
		Long: "Show the subject, the text and the HTML of a kind of mail, with examples for its data, from the templates in\n" +
			"mail_templates and the built-in ones. The kinds are:\n  " + strings.Join(mailKinds()[:6], ", ") +
			",\n  " + strings.Join(mailKinds()[6:], ", "),
		Example:           "  roster mail preview password_reset --language de",
		Args:              arguments("KIND"),
		ValidArgsFunction: choices(mailKinds()...),
	}
	languages := bootstrap.MailLanguages()
	language := &textFlag{text: languages[0], kind: "language", choices: languages}
	cmd.Flags().Var(language, "language", "`language` of the mail: "+strings.Join(languages, ", "))
	must(cmd.RegisterFlagCompletionFunc("language", choices(languages...)))
	inJSON := formatFlag(cmd, "text")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(mailKinds(), args[0]) {
			return misuse(cmd, "there is no kind of mail %q, but %s", args[0], strings.Join(mailKinds(), ", "))
		}
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		text, err := bootstrap.PreviewMail(cfg, mail.Kind(args[0]), language.text)
		if err != nil {
			return err
		}
		if inJSON() {
			return console.NewEncoder(p.stdout).Encode(previewObject{text.Subject, text.Text, text.HTML})
		}
		_, err = fmt.Fprintf(p.stdout, "Subject: %s\n\n%s\n%s", text.Subject, text.Text, text.HTML)
		return err
	}
	return cmd
}
