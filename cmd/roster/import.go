package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/cmd/roster/console"
	"roster/domain/archive"
	"roster/ports/inbound"
)

func (p *program) importCommand() *cobra.Command {
	return group("import", "Take over the users of a Django project, or an export of Roster", p.importDjangoCommand(), p.importRosterCommand())
}

// The default names of the files of rows. They are in the data directory, since rejected rows hold password hashes.
const (
	defaultReport  = "import-report.jsonl"
	defaultRejects = "import-rejects.jsonl"
)

// djangoImport is the flags of import django.
type djangoImport struct {
	source          bootstrap.DjangoSource
	options         inbound.ImportOptions
	fields          []string
	report, rejects resultFile
}

func (p *program) importDjangoCommand() *cobra.Command {
	d := &djangoImport{}
	cmd := &cobra.Command{
		Use:   "django SOURCE",
		Short: "Take over the users of a Django project",
		Long: "Take over the users of a Django project, with their ids, dates and passwords. SOURCE is a fixture\n" +
			"(manage.py dumpdata, as JSON or JSON lines, also gzipped) or Django's database (sqlite:PATH,\n" +
			"postgres://USER@HOST/DB), which is only read.\n\n" +
			"It can be run again at any time, also after an interruption: users that are the same are left alone,\n" +
			"changed ones are updated. Users that were in use or changed here since keep what is here.\n" +
			"Exit code 0 says that every user went in, and with --blacklist every revoked token.",
		Example: "  roster import django users.json --dry-run\n" +
			"  roster import django sqlite:db.sqlite3 --blacklist\n" +
			"  roster import django members.json.gz --user-model members.Member --field email=mail --field first_name=given_name",
		Args: arguments("SOURCE"),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&d.source.UserModel, "user-model", "", "`app.Model` of the users; found when there is one only")
	f.StringVar(&d.source.Table, "table", "", "`name` of the users' table in a database; by default the model's")
	f.StringArrayVar(&d.fields, "field", nil,
		"`MEMBER=FIELD`: the field that holds a member ("+strings.Join(bootstrap.DjangoMembers(), ", ")+"); no FIELD for none")
	f.StringVar(&d.source.TimeZone, "time-zone", "",
		"`zone` of dates without an offset, such as Europe/Berlin (with USE_TZ = False, Django's TIME_ZONE); by default UTC")
	f.BoolVar(&d.options.Blacklist, "blacklist", false, "take over SimpleJWT's token blacklist")
	f.BoolVar(&d.options.StaffAsAdmin, "staff-as-admin", false,
		"make administrators of users with is_staff, the default with djoser_path; otherwise of those with is_superuser")
	f.BoolVar(&d.options.DryRun, "dry-run", false, "store nothing, report what would be stored")
	f.BoolVar(&d.options.Overwrite, "overwrite", false, "update users also where they were in use or changed here since")
	f.BoolVar(&d.options.AcceptCostly, "accept-costly-hashes", false,
		"accept also stored passwords that cost more than ten times one set here, or more than 128 MiB")
	f.Int64Var(&d.options.LastID, "last-id", 0, "`id` above which new users are counted, where the source does not say")
	f.StringVar(&d.report.path, "report", "",
		"`file` for the report on single rows, as JSON lines; by default "+defaultReport+" in the data directory")
	f.StringVar(&d.rejects.path, "rejects", "",
		"`file` for the rejected rows with their password hashes, to be corrected and imported; by default "+defaultRejects+
			" in the data directory")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d.source.Source = args[0]
		return p.importDjango(cmd, d)
	}
	return cmd
}

func (p *program) importDjango(cmd *cobra.Command, d *djangoImport) error {
	d.source.Fields = map[string]string{}
	for _, f := range d.fields {
		member, name, ok := strings.Cut(f, "=")
		if !ok {
			return misuse(cmd, "--field %q: write MEMBER=FIELD", f)
		}
		d.source.Fields[member] = name
	}
	cfg, err := p.load(cmd)
	if err != nil {
		return err
	}
	if cfg.DjoserPath != "" && !cmd.Flags().Changed("staff-as-admin") {
		d.options.StaffAsAdmin = true // djoser lets is_staff read, change and delete every user
	}
	inDataDir := d.report.path == "" || d.rejects.path == ""
	d.report.path = cmp.Or(d.report.path, filepath.Join(cfg.DataDir, defaultReport))
	d.rejects.path = cmp.Or(d.rejects.path, filepath.Join(cfg.DataDir, defaultRejects))
	if filepath.Clean(d.report.path) == filepath.Clean(d.rejects.path) {
		return misuse(cmd, "--report and --rejects name the same file")
	}
	p.warnExposed(strings.TrimPrefix(d.source.Source, "sqlite:"))
	bar := console.NewProgress(p.stderr, p.dumb())
	found := ""
	start := func(source string) error {
		if inDataDir {
			if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil { // the database may be elsewhere
				return err
			}
		}
		if err := errors.Join(d.report.open(), d.rejects.open()); err != nil {
			return err
		}
		found = source
		_, _ = fmt.Fprintf(p.stderr, "Importing from %s.\n", console.Visible(source))
		return nil
	}
	summary, err := bootstrap.ImportDjango(cmd.Context(), cfg, d.source, d.options, p.notice, start, d.write, bar.Report)
	bar.Finish()
	reported, e1 := d.report.close()
	rejected, e2 := d.rejects.close()
	err = errors.Join(err, e1, e2)
	if interrupted(err) && !d.options.DryRun {
		err = resumable{err, "run the same command again to go on"}
	}
	if found != "" {
		printSummary(p.stdout, found, summary, d.options, interrupted(err))
	}
	for _, l := range []struct {
		print bool
		text  string
	}{
		{reported, "The report on single rows is in " + d.report.path + "."},
		{rejected, "The rejected rows are in " + d.rejects.path + "; correct them there and import that file."},
		{
			!cfg.ImportedHashes && !d.options.DryRun && summary.Users[inbound.Added]+summary.Users[inbound.Updated] > 0,
			"Set imported_hashes for the service, so that the time of a refused sign-in does not show which addresses have an account.",
		},
	} {
		if l.print {
			_, _ = fmt.Fprintln(p.stdout, console.Visible(l.text))
		}
	}
	if err != nil {
		return err
	}
	return incomplete(summary, d.options)
}

// incomplete returns an error if users or revoked tokens were not imported, or nil.
func incomplete(s inbound.ImportSummary, o inbound.ImportOptions) error {
	const models = "(a fixture needs both models of token_blacklist)"
	var out []string
	if !s.Complete() {
		out = append(out, fmt.Sprintf("%d of the users did not go in", s.Users[inbound.Rejected]))
	}
	if unknown := s.Notices[inbound.NoticeTokenUnknown]; unknown > 0 {
		out = append(out, fmt.Sprintf("%d of the revoked tokens did not go in: the source does not hold them, or they cannot be read %s",
			unknown, models))
	} else if o.Blacklist && s.Revocations() == 0 {
		out = append(out, "--blacklist took nothing over: the source has no revoked token "+models)
	}
	if len(out) == 0 {
		return nil
	}
	return errors.New(strings.Join(out, "; "))
}

// write writes a row to its files.
func (d *djangoImport) write(r inbound.ImportRow) error {
	err := d.report.add(newReportLine(r))
	if err == nil && r.Outcome == inbound.Rejected && r.Row != nil {
		err = d.rejects.add(json.RawMessage(r.Row))
	}
	return err
}

func printSummary(w io.Writer, source string, s inbound.ImportSummary, o inbound.ImportOptions, interrupted bool) {
	t := console.NewTabs(w)
	heading := "Users of " + source
	if o.DryRun {
		heading += ", nothing of which was stored (--dry-run)"
	}
	if interrupted {
		heading += ", as far as the import came"
	}
	_, _ = fmt.Fprintln(t, console.Visible(heading)+":")
	for _, outcome := range []inbound.Outcome{inbound.Added, inbound.Updated, inbound.Unchanged, inbound.Kept, inbound.Rejected} {
		note := ""
		if outcome == inbound.Kept {
			note = "differ, but were in use or changed here since"
		}
		_, _ = fmt.Fprintf(t, "  %s\t%d\t%s\n", outcome, s.Users[outcome], note)
	}
	const administrators, others = "administrators here", "not administrators for that"
	superuser, staff := administrators, others+"; --staff-as-admin makes them so"
	if o.StaffAsAdmin {
		superuser, staff = others, administrators+" (--staff-as-admin)"
	}
	_, _ = fmt.Fprintf(t, "Of those that were not rejected:\n  is_superuser\t%d\t%s\n  is_staff\t%d\t%s\n",
		s.Superusers, superuser, s.Staff, staff)
	if s.Verified+s.Notices[inbound.NoticeUnverified] > 0 {
		_, _ = fmt.Fprintf(t, "  verified address\t%d\tby allauth\n", s.Verified)
	}
	if o.Blacklist {
		_, _ = fmt.Fprintf(t, "Revoked tokens:\n  added\t%d\t\n  unchanged\t%d\t\n  expired\t%d\tleft out\n  rejected\t%d\t\n",
			s.Tokens[inbound.Added]+s.Tokens[inbound.Updated], s.Tokens[inbound.Unchanged], s.Expired, s.Tokens[inbound.Rejected])
	}
	if len(s.Notices) > 0 {
		_, _ = fmt.Fprintln(t, "To know:")
		for _, n := range slices.Sorted(maps.Keys(s.Notices)) {
			_, _ = fmt.Fprintf(t, "  %s\t%d\t%s\n", n, s.Notices[n], noticeTexts[n])
		}
	}
	_ = t.Flush()
}

// noticeTexts explains the notices in the summary.
var noticeTexts = map[inbound.Notice]string{
	inbound.NoticeNoPassword:       "kept, but no password fits: these users need a new one (or legacy_digests, for a SHA-1 or MD5)",
	inbound.NoticeStaff:            "is_staff without is_superuser: no administrators here, unless with --staff-as-admin",
	inbound.NoticeSuperuser:        "is_superuser without is_staff: no administrators here with --staff-as-admin",
	inbound.NoticeNewID:            "the source has no ids: tokens of Django name other users here, do not take over its signing key",
	inbound.NoticeUnverified:       "not verified by allauth, nor here; these users may sign in all the same, if active",
	inbound.NoticeOtherEmails:      "further addresses in allauth, which were left out: a user has one here",
	inbound.NoticeTokenWithoutUser: "left out: no good anyway",
	inbound.NoticeTokenUnknown:     "revocations that did not go in: those tokens are honoured until they expire",
}

func (p *program) importRosterCommand() *cobra.Command {
	var resume bool
	cmd := &cobra.Command{
		Use:   "roster FILE",
		Short: "Store all of an export of Roster",
		Long: "Store all of what roster export wrote, in a database that holds nothing yet. A file is read to its\n" +
			"end before anything is stored; - is the standard input. Either may be packed by gzip.",
		Args: arguments("FILE"),
	}
	cmd.Flags().BoolVar(&resume, "resume", false, "go on with an import of the same export that was cut off")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		bar := console.NewProgress(p.stderr, p.dumb())
		defer bar.Finish()
		in := p.stdin
		if args[0] != "-" {
			p.warnExposed(args[0])
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }() // nothing was written
			if _, err := bootstrap.CheckExport(cmd.Context(), f, bar.Report); err != nil {
				if _, named := errors.AsType[*fs.PathError](err); named {
					return err
				}
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return err
			}
			in = f
		}
		got, err := bootstrap.Restore(cmd.Context(), cfg, in, resume, p.notice, bar.Report)
		bar.Finish()
		return p.printContents(got, moveError(err))
	}
	return cmd
}

// printContents prints the contents that were moved, and returns err.
func (p *program) printContents(contents []archive.Contents, err error) error {
	t := console.NewTabs(p.stdout)
	for _, c := range contents {
		_, _ = fmt.Fprintf(t, "%s\t%d\tsha256 %s\n", c.Collection, c.Count, c.Digest)
	}
	return errors.Join(err, t.Flush())
}

// moveError adds what to do about a failure.
func moveError(err error) error {
	if errors.Is(err, archive.ErrNotEmpty) {
		return fmt.Errorf("%w; --resume goes on with what was cut off", err)
	}
	if interrupted(err) {
		return resumable{err, "run the command again with --resume to go on"}
	}
	return err
}

// warnExposed warns of a file of users and hashes that other users of the machine can read.
func (p *program) warnExposed(path string) {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return // the import fails
	}
	if reason := bootstrap.Exposed(path); reason != "" {
		p.notice("the file to import can be read by others: " + reason)
	}
}
