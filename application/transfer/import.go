package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// batch is how many records are read or stored at once: enough that their transaction costs little,
// and few enough for flat memory.
const batch = 500

// batchBytes bounds the rows of a batch of an import, which hold whatever else another system keeps.
const batchBytes = 8 << 20

// ImportPorts is what an import needs of the outside.
type ImportPorts struct {
	Source  outbound.UserSource
	Archive outbound.Archive
	Hashes  outbound.StoredHashes
	application.Ports
}

// Importing takes users over from another system.
type Importing struct {
	ImportPorts
	application.Recorder
}

var _ inbound.Importing = (*Importing)(nil)

// NewImporting returns the use case over p.
func NewImporting(p ImportPorts) *Importing { return &Importing{p, application.NewRecorder(p.Ports)} }

// importRun is one run of an import.
type importRun struct {
	*Importing
	options  inbound.ImportOptions
	tell     func(inbound.ImportRow) error
	progress inbound.Progress
	summary  inbound.ImportSummary
	now      time.Time

	waiting []candidate
	bytes   int                     // of the rows that wait
	last    int64                   // highest counted id of a row, rejected ones included
	ids     map[user.ID]bool        // of those who wait
	emails  map[fingerprint]user.ID // in a dry run: whose address it would be by now
	staff   int                     // in a dry run: how many more active staff users there would be by now
	done    int64
	total   int64
}

// candidate is a row that may go in.
type candidate struct {
	row      inbound.ImportRow
	snapshot user.Snapshot
	dated    bool // the source tells when the user joined

	staff, superuser bool // as the source has them
}

// fingerprint stands for an address: a million of them are to take little room.
type fingerprint [8]byte

func fingerprintOf(key string) fingerprint {
	sum := sha256.Sum256([]byte(key))
	return fingerprint(sum[:8])
}

// Import implements inbound.Importing.
func (i *Importing) Import(ctx context.Context, o inbound.ImportOptions, tell func(inbound.ImportRow) error, progress inbound.Progress) (inbound.ImportSummary, error) {
	r := &importRun{
		Importing: i, options: o, tell: tell, progress: progress, now: i.Clock.Now(),
		summary: inbound.ImportSummary{Users: make(map[inbound.Outcome]int64), Tokens: make(map[inbound.Outcome]int64), Notices: make(map[inbound.Notice]int64)},
		ids:     map[user.ID]bool{}, emails: map[fingerprint]user.ID{},
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
	if err == nil {
		err = r.skipIDs(ctx, max(last, r.options.LastID))
	}
	if err != nil {
		return err
	}
	r.total = users
	err = r.Source.Users(ctx, func(s outbound.SourceUser) error { return r.take(ctx, s) })
	if err == nil {
		err = r.flush(ctx)
	}
	if err == nil {
		err = r.skipIDs(ctx, r.last)
	}
	if err == nil && r.options.Blacklist {
		r.done, r.total = 0, tokens
		err = r.Source.RevokedTokens(ctx, func(t outbound.RevokedToken) error { return r.revoke(ctx, t) })
	}
	if !r.options.DryRun {
		r.Record(ctx, audit.Event{Kind: audit.Imported, Detail: r.summaryText(err)})
	}
	return err
}

// skipIDs makes counting go on above what the source ever gave, to users that were deleted there or are
// rejected here as well: their tokens must not become those of a new user here.
func (r *importRun) skipIDs(ctx context.Context, last int64) error {
	if last == 0 || r.options.DryRun {
		return nil
	}
	return r.Archive.SkipUserIDs(ctx, last)
}

func (r *importRun) summaryText(err error) string {
	text := fmt.Sprintf("%s: %d added, %d updated, %d rejected", r.options.Source,
		r.summary.Users[inbound.Added], r.summary.Users[inbound.Updated], r.summary.Users[inbound.Rejected])
	if err != nil {
		text += ", broken off"
	}
	return text
}

// take puts a row in the queue, and works the queue off when it is full.
func (r *importRun) take(ctx context.Context, s outbound.SourceUser) error {
	if n, counted := s.ID.Integer(); counted && n <= user.LastImportedID {
		r.last = max(r.last, n)
	}
	c, rejection := r.judge(s)
	if rejection != nil {
		return r.reject(c, *rejection)
	}
	if c.snapshot.ID == "" {
		c.row.Notices = append(c.row.Notices, inbound.NoticeNewID)
		if err := r.recognise(ctx, &c); err != nil {
			return err
		}
	}
	if r.ids[c.snapshot.ID] { // Put takes each key once
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	r.ids[c.snapshot.ID] = true
	r.waiting = append(r.waiting, c)
	r.bytes += len(c.row.Row)
	if len(r.waiting) < batch && r.bytes < batchBytes {
		return nil
	}
	return r.flush(ctx)
}

// recognise gives a row without an id that of the user with the address, or a new one.
func (r *importRun) recognise(ctx context.Context, c *candidate) error {
	for _, w := range r.waiting { // who is about to be added is found by the address too
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
		c.snapshot.ID = user.ID("new: " + c.row.Place)
		return nil
	}
	c.snapshot.ID, err = r.UserIDs.NewUserID(ctx)
	return err
}

// flush works the queue off.
func (r *importRun) flush(ctx context.Context) error {
	waiting := r.waiting
	r.waiting, r.bytes = nil, 0
	clear(r.ids)
	refused, err := r.put(ctx, waiting)
	if err != nil {
		return err
	}
	for n, c := range waiting {
		switch {
		case refused[n] == nil:
			err = r.count(c, inbound.Added)
		case errors.Is(refused[n], outbound.ErrKeyTaken):
			err = r.update(ctx, c)
		case errors.Is(refused[n], user.ErrEmailTaken):
			err = r.emailTaken(ctx, c)
		default:
			err = refused[n]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// put stores what is new, or in a dry run tells what would be stored.
func (r *importRun) put(ctx context.Context, waiting []candidate) ([]error, error) {
	if !r.options.DryRun {
		records := make([]user.Snapshot, len(waiting))
		for n, c := range waiting {
			records[n] = c.snapshot
		}
		return r.Archive.Users().Put(ctx, records)
	}
	refused := make([]error, len(waiting))
	for n, c := range waiting {
		switch _, err := r.Users.Get(ctx, c.snapshot.ID); {
		case err == nil:
			refused[n] = outbound.ErrKeyTaken
			continue
		case !errors.Is(err, user.ErrNotFound):
			return nil, err
		}
		if _, taken := r.emails[fingerprintOf(c.snapshot.EmailKey)]; taken {
			refused[n] = user.ErrEmailTaken
			continue
		}
		switch _, err := r.Users.ByEmail(ctx, c.snapshot.EmailKey); {
		case err == nil:
			refused[n] = user.ErrEmailTaken
		case !errors.Is(err, user.ErrNotFound):
			return nil, err
		default:
			r.emails[fingerprintOf(c.snapshot.EmailKey)] = c.snapshot.ID
			if c.snapshot.Administers() {
				r.staff++
			}
		}
	}
	return refused, nil
}

// emailTaken rejects a row whose address is somebody else's.
func (r *importRun) emailTaken(ctx context.Context, c candidate) error {
	other := r.emails[fingerprintOf(c.snapshot.EmailKey)]
	if other == "" {
		u, err := r.Users.ByEmail(ctx, c.snapshot.EmailKey)
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return err
		}
		if err == nil {
			other = u.ID()
		}
	}
	c.row.Other = other
	return r.reject(c, rejection{inbound.ReasonEmailTaken, "the user with id " + string(other) + " has this address, or one that is the same mailbox"})
}

// count notes an outcome, and tells of it where there is something to know.
func (r *importRun) count(c candidate, o inbound.Outcome) error {
	c.row.Outcome = o
	r.summary.Users[o]++
	if c.staff {
		r.summary.Staff++
	}
	if c.superuser {
		r.summary.Superusers++
	}
	for _, n := range c.row.Notices {
		r.summary.Notices[n]++
	}
	r.done++
	r.progress("users", r.done, r.total)
	c.row.Row = nil
	if o == inbound.Updated || o == inbound.Kept || len(c.row.Notices) > 0 {
		return r.tell(c.row)
	}
	return nil
}

// rejection is why a row cannot go in.
type rejection struct {
	reason inbound.Reason
	detail string
}

func (r *importRun) reject(c candidate, why rejection) error {
	c.row.Outcome, c.row.Reason, c.row.Detail = inbound.Rejected, why.reason, why.detail
	r.summary.Users[inbound.Rejected]++
	r.done++
	r.progress("users", r.done, r.total)
	return r.tell(c.row)
}

// message returns what a fault says of the first member at fault.
func message(faults []fault.Field) string {
	if len(faults) == 0 {
		return ""
	}
	return faults[0].Message
}
