package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"roster/cmd/roster/console"
	"roster/domain/archive"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/ports/inbound"
)

func (p *program) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Take over the users of a Django project, or an export of Roster",

		SuggestionsMinimumDistance: 2,

		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.importDjangoCommand(), p.importRosterCommand())
	return cmd
}

// The default files of rows that need attention. They lie in the data directory, since rejected rows hold password
// hashes.
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
	f.StringArrayVar(&d.fields, "field", nil, "`MEMBER=FIELD`: the field that holds a member ("+strings.Join(bootstrap.DjangoMembers(), ", ")+"); no FIELD for none")
	f.StringVar(&d.source.TimeZone, "time-zone", "", "`zone` that dates without an offset are of, such as Europe/Berlin (with USE_TZ = False, Django's TIME_ZONE); by default UTC")
	f.BoolVar(&d.options.Blacklist, "blacklist", false, "take over SimpleJWT's token blacklist")
	f.BoolVar(&d.options.StaffAsAdmin, "staff-as-admin", false, "make administrators of users with is_staff; by default of those with is_superuser")
	f.BoolVar(&d.options.DryRun, "dry-run", false, "store nothing, report what would be stored")
	f.BoolVar(&d.options.Overwrite, "overwrite", false, "update users also where they were in use or changed here since")
	f.BoolVar(&d.options.AcceptCostly, "accept-costly-hashes", false, "take stored passwords too whose verification takes more than ten times the work of one set here, or 128 MiB")
	f.Int64Var(&d.options.LastID, "last-id", 0, "`id` above which new users are counted, where the source does not say")
	f.StringVar(&d.report.path, "report", "", "`file` for what there is to know of single rows, as JSON lines; by default "+defaultReport+" in the data directory")
	f.StringVar(&d.rejects.path, "rejects", "", "`file` for the rows that were rejected, to be mended and imported; by default "+defaultRejects+" in the data directory. Holds their password hashes")
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
	inDataDir := d.report.path == "" || d.rejects.path == ""
	d.report.path = cmp.Or(d.report.path, filepath.Join(cfg.DataDir, defaultReport))
	d.rejects.path = cmp.Or(d.rejects.path, filepath.Join(cfg.DataDir, defaultRejects))
	if filepath.Clean(d.report.path) == filepath.Clean(d.rejects.path) {
		return misuse(cmd, "--report and --rejects name the same file")
	}
	p.warnExposed(strings.TrimPrefix(d.source.Source, "sqlite:"))
	bar := console.NewProgress(p.stderr, p.dumb())
	what := ""
	found := func(source string) error {
		if inDataDir {
			if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil { // the database may lie elsewhere
				return err
			}
		}
		if err := errors.Join(d.report.open(), d.rejects.open()); err != nil {
			return err
		}
		what = source
		_, _ = fmt.Fprintf(p.stderr, "Importing from %s.\n", console.Visible(source))
		return nil
	}
	summary, err := bootstrap.ImportDjango(cmd.Context(), cfg, d.source, d.options, p.notice, found, d.write, bar.Report)
	bar.Finish()
	reported, e1 := d.report.close()
	rejected, e2 := d.rejects.close()
	err = errors.Join(err, e1, e2)
	if interrupted(err) && !d.options.DryRun {
		err = resumable{err, "run the same command again to go on"}
	}
	if what != "" {
		printSummary(p.stdout, what, summary, d.options, interrupted(err))
		if reported {
			_, _ = fmt.Fprintf(p.stdout, "What there is to know of single rows is in %s.\n", console.Visible(d.report.path))
		}
		if rejected {
			_, _ = fmt.Fprintf(p.stdout, "The rejected rows themselves are in %s; mend them there and import that file.\n", console.Visible(d.rejects.path))
		}
	}
	if !cfg.ImportedHashes && !d.options.DryRun && summary.Users[inbound.Added]+summary.Users[inbound.Updated] > 0 {
		_, _ = fmt.Fprintln(p.stdout, "Set imported_hashes for the service, so that the time of a refused sign-in does not show which addresses have an account.")
	}
	if err == nil {
		err = shortfall(summary, d.options)
	}
	return err
}

// shortfall says what of that which was asked for did not go in.
func shortfall(s inbound.ImportSummary, o inbound.ImportOptions) error {
	var out []string
	if !s.Complete() {
		out = append(out, fmt.Sprintf("%d of the users did not go in", s.Users[inbound.Rejected]))
	}
	unknown := s.Notices[inbound.NoticeTokenUnknown]
	if unknown > 0 {
		out = append(out, fmt.Sprintf("%d of the revoked tokens did not go in: the source does not hold them, or they cannot be read (a fixture needs both models of token_blacklist)", unknown))
	}
	if o.Blacklist && unknown == 0 && s.Revocations() == 0 {
		out = append(out, "--blacklist took nothing over: the source has no revoked token (a fixture needs both models of token_blacklist)")
	}
	if len(out) == 0 {
		return nil
	}
	return errors.New(strings.Join(out, "; "))
}

// write writes a row to its file.
func (d *djangoImport) write(r inbound.ImportRow) error {
	line, err := newReportLine(r)
	if err == nil {
		err = d.report.add(line)
	}
	if err == nil && r.Outcome == inbound.Rejected && r.Row != nil {
		err = d.rejects.add(r.Row)
	}
	return err
}

func printSummary(w io.Writer, source string, s inbound.ImportSummary, o inbound.ImportOptions, interrupted bool) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	heading := "Users of " + source
	if o.DryRun {
		heading += ", nothing of which was stored (--dry-run)"
	}
	if interrupted {
		heading += ", as far as the import came"
	}
	_, _ = fmt.Fprintln(t, console.Visible(heading)+":")
	for _, l := range []struct {
		outcome inbound.Outcome
		note    string
	}{
		{inbound.Added, ""}, {inbound.Updated, ""}, {inbound.Unchanged, ""},
		{inbound.Kept, "differ, but were in use or changed here since"}, {inbound.Rejected, ""},
	} {
		_, _ = fmt.Fprintf(t, "  %s\t%d\t%s\n", l.outcome, s.Users[l.outcome], l.note)
	}
	printAdministrators(t, s, o)
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

// printAdministrators says which flag made administrators, and how many users have the other.
func printAdministrators(w io.Writer, s inbound.ImportSummary, o inbound.ImportOptions) {
	const administrators, not = "administrators here", "not administrators for that"
	superuser, staff := administrators, not+"; --staff-as-admin makes them so"
	if o.StaffAsAdmin {
		superuser, staff = not, administrators+" (--staff-as-admin)"
	}
	_, _ = fmt.Fprintf(w, "Of those that were not rejected:\n  is_superuser\t%d\t%s\n  is_staff\t%d\t%s\n", s.Superusers, superuser, s.Staff, staff)
}

// noticeTexts says what the notices mean.
var noticeTexts = map[inbound.Notice]string{
	inbound.NoticeNoPassword:       "kept, but no password fits: these users need a new one (or legacy_digests, for a SHA-1 or MD5)",
	inbound.NoticeStaff:            "is_staff without is_superuser: no administrators here, unless with --staff-as-admin",
	inbound.NoticeSuperuser:        "is_superuser without is_staff: no administrators here with --staff-as-admin",
	inbound.NoticeNewID:            "the source has no ids: tokens of Django name other users here, do not take over its signing key",
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
		return p.moved(got, moveError(err))
	}
	return cmd
}

// moved prints what was moved.
func (p *program) moved(contents []archive.Contents, err error) error {
	printContents(p.stdout, contents)
	return err
}

func printContents(w io.Writer, contents []archive.Contents) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range contents {
		_, _ = fmt.Fprintf(t, "%s\t%d\tsha256 %s\n", c.Collection, c.Count, c.Digest)
	}
	_ = t.Flush()
}

// moveError says what to do about a failure.
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
		return // the import says so
	}
	if reason := bootstrap.Exposed(path); reason != "" {
		p.notice("the file to import can be read by others: " + reason)
	}
}
