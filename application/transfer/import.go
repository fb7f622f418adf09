package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// batch is how many records are read or stored at once. Larger batches would need more memory and hardly less time.
const batch = 1000

// batchBytes bounds the size of the source rows of a batch, in bytes.
const batchBytes = 8 << 20

// ImportPorts holds the outbound ports that an import calls.
type ImportPorts struct {
	Source  outbound.UserSource
	Archive outbound.Archive
	Hashes  outbound.StoredHashes
	application.Ports
}

// Importing imports users from another system.
type Importing struct {
	ImportPorts
	application.Recorder
}

var _ inbound.Importing = (*Importing)(nil)

// NewImporting returns the use case on the ports p.
func NewImporting(p ImportPorts) *Importing { return &Importing{p, application.NewRecorder(p.Ports)} }

// importRun is the state of one import.
type importRun struct {
	*Importing
	options  inbound.ImportOptions
	report   func(inbound.ImportRow) error
	progress inbound.Progress
	summary  inbound.ImportSummary
	now      time.Time

	pending      []candidate
	pendingBytes int                     // size of the source rows of pending
	lastID       int64                   // highest integer id of a row, rejected ones included
	ids          map[user.ID]bool        // ids of pending
	emails       map[fingerprint]user.ID // in a dry run: addresses of the users that would be added so far
	staff        int                     // in a dry run: change of the number of active staff users so far
	done         int64
	total        int64
}

// candidate is a row that may be imported.
type candidate struct {
	row       inbound.ImportRow
	snapshot  user.Snapshot
	hasJoined bool // the source has the joining date

	staff, superuser bool // as in the source
}

// fingerprint is a short digest of an email key, so that a million of them need little memory.
type fingerprint [8]byte

func (c candidate) fingerprint() fingerprint {
	sum := sha256.Sum256([]byte(c.snapshot.EmailKey))
	return fingerprint(sum[:8])
}

// Import reads the whole source; see inbound.Importing.
func (i *Importing) Import(
	ctx context.Context, o inbound.ImportOptions, report func(inbound.ImportRow) error, progress inbound.Progress,
) (inbound.ImportSummary, error) {
	r := &importRun{
		Importing: i, options: o, report: report, progress: progress, now: i.Clock.Now(),
		summary: inbound.ImportSummary{
			Users: make(map[inbound.Outcome]int64), Tokens: make(map[inbound.Outcome]int64), Notices: make(map[inbound.Notice]int64),
		},
		ids: map[user.ID]bool{}, emails: map[fingerprint]user.ID{},
	}
	origin := inbound.OriginOf(ctx)
	origin.Channel = audit.Import
	err := r.run(inbound.WithOrigin(ctx, origin))
	return r.summary, err
}

func (r *importRun) run(ctx context.Context) error {
	if r.options.LastID < 0 || r.options.LastID > user.LastImportedID {
		return inbound.ErrLastID
	}
	users, tokens, err := r.Source.Count(ctx)
	if err != nil {
		return err
	}
	last, err := r.Source.LastUserID(ctx)
	if err != nil {
		return err
	}
	if err := r.skipIDs(ctx, max(last, r.options.LastID)); err != nil {
		return err
	}
	r.total = users
	err = r.Source.Users(ctx, func(s outbound.SourceUser) error { return r.add(ctx, s) })
	if err == nil {
		err = r.flush(ctx)
	}
	if err == nil && !r.options.DryRun {
		err = r.Archive.BuildIndexes(ctx)
	}
	if err == nil {
		err = r.skipIDs(ctx, r.lastID)
	}
	if err == nil && r.options.Blacklist {
		r.done, r.total = 0, tokens
		err = r.Source.RevokedTokens(ctx, func(t outbound.RevokedToken) error { return r.revoke(ctx, t) })
	}
	if !r.options.DryRun {
		text := fmt.Sprintf("%s: %d added, %d updated, %d rejected", r.options.Source,
			r.summary.Users[inbound.Added], r.summary.Users[inbound.Updated], r.summary.Users[inbound.Rejected])
		if err != nil {
			text += ", interrupted"
		}
		r.Record(ctx, audit.Event{Kind: audit.Imported, Detail: text})
	}
	return err
}

// skipIDs makes new ids higher than those that the source assigned, also to users that were deleted there or are
// rejected here: their tokens must not become valid for new users.
func (r *importRun) skipIDs(ctx context.Context, last int64) error {
	if last == 0 || r.options.DryRun {
		return nil
	}
	return r.Archive.SkipUserIDs(ctx, last)
}

// add adds a row to pending, and flushes pending when it is full.
func (r *importRun) add(ctx context.Context, s outbound.SourceUser) error {
	if n, counted := s.ID.Integer(); counted && n <= user.LastImportedID {
		r.lastID = max(r.lastID, n)
	}
	c, reason, detail := r.convert(s)
	if reason != "" {
		return r.reject(c, reason, detail)
	}
	if c.snapshot.ID == "" {
		c.row.Notices = append(c.row.Notices, inbound.NoticeNewID)
		if err := r.assignID(ctx, &c); err != nil {
			return err
		}
	}
	if r.ids[c.snapshot.ID] { // the keys of one Put must differ
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	r.ids[c.snapshot.ID] = true
	r.pending = append(r.pending, c)
	r.pendingBytes += len(c.row.Row)
	if len(r.pending) < batch && r.pendingBytes < batchBytes {
		return nil
	}
	return r.flush(ctx)
}

// assignID gives a row without an id that of the user with its address, or a new one.
func (r *importRun) assignID(ctx context.Context, c *candidate) error {
	for _, w := range r.pending { // pending users are not stored yet
		if w.snapshot.EmailKey == c.snapshot.EmailKey {
			c.snapshot.ID = w.snapshot.ID
			return nil
		}
	}
	u, err := r.Users.ByEmail(ctx, c.snapshot.EmailKey)
	switch {
	case err == nil:
		c.snapshot.ID = u.ID()
		return nil
	case !errors.Is(err, user.ErrNotFound):
		return err
	case r.options.DryRun:
		c.snapshot.ID = user.ID("new: " + c.row.Location)
		return nil
	}
	c.snapshot.ID, err = r.UserIDs.NewUserID(ctx)
	return err
}

// flush stores pending and reports the outcomes.
func (r *importRun) flush(ctx context.Context) error {
	pending := r.pending
	r.pending, r.pendingBytes = nil, 0
	clear(r.ids)
	refused, err := r.put(ctx, pending)
	if err != nil {
		return err
	}
	for n, c := range pending {
		switch {
		case refused[n] == nil:
			err = r.count(c, inbound.Added)
		case errors.Is(refused[n], outbound.ErrKeyTaken):
			err = r.update(ctx, c)
		case errors.Is(refused[n], user.ErrEmailTaken):
			err = r.rejectEmailTaken(ctx, c)
		default:
			err = refused[n]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// put adds new users or, in a dry run, finds out which would be refused.
func (r *importRun) put(ctx context.Context, pending []candidate) ([]error, error) {
	if !r.options.DryRun {
		records := make([]user.Snapshot, len(pending))
		for n, c := range pending {
			records[n] = c.snapshot
		}
		return r.Archive.Users().Put(ctx, records)
	}
	refused := make([]error, len(pending))
	for n, c := range pending {
		_, err := r.Users.Get(ctx, c.snapshot.ID)
		if err == nil {
			refused[n] = outbound.ErrKeyTaken
			continue
		}
		_, taken := r.emails[c.fingerprint()]
		if errors.Is(err, user.ErrNotFound) && !taken {
			_, err = r.Users.ByEmail(ctx, c.snapshot.EmailKey)
			taken = err == nil
		}
		switch {
		case taken:
			refused[n] = user.ErrEmailTaken
		case !errors.Is(err, user.ErrNotFound):
			return nil, err
		default:
			r.emails[c.fingerprint()] = c.snapshot.ID
			if c.snapshot.Administers() {
				r.staff++
			}
		}
	}
	return refused, nil
}

// rejectEmailTaken rejects a row whose address another user has.
func (r *importRun) rejectEmailTaken(ctx context.Context, c candidate) error {
	other := r.emails[c.fingerprint()]
	if other == "" {
		u, err := r.Users.ByEmail(ctx, c.snapshot.EmailKey)
		switch {
		case err == nil:
			other = u.ID()
		case !errors.Is(err, user.ErrNotFound):
			return err
		}
	}
	c.row.Other = other
	return r.reject(c, inbound.ReasonEmailTaken, "the user with id "+string(other)+" has this address, or another spelling of it")
}

// count counts an outcome, and reports the row unless it was added or unchanged without notices.
func (r *importRun) count(c candidate, o inbound.Outcome) error {
	c.row.Outcome = o
	r.summary.Users[o]++
	r.done++
	r.progress("users", r.done, r.total)
	if o == inbound.Rejected {
		return r.report(c.row)
	}
	if c.staff {
		r.summary.Staff++
	}
	if c.superuser {
		r.summary.Superusers++
	}
	if c.snapshot.EmailState == user.EmailVerified {
		r.summary.Verified++
	}
	for _, n := range c.row.Notices {
		r.summary.Notices[n]++
	}
	if (o == inbound.Added || o == inbound.Unchanged) && len(c.row.Notices) == 0 {
		return nil
	}
	c.row.Row = nil
	return r.report(c.row)
}

func (r *importRun) reject(c candidate, reason inbound.Reason, detail string) error {
	c.row.Reason, c.row.Detail = reason, detail
	return r.count(c, inbound.Rejected)
}
