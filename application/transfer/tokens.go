package transfer

import (
	"context"
	"errors"

	"roster/domain/session"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// revoke takes over a revoked refresh token: as a session that was revoked, under the id by which a
// token that names no session is remembered.
func (r *importRun) revoke(ctx context.Context, t outbound.RevokedToken) error {
	r.done++
	r.progress("revoked tokens", r.done, r.total)
	switch {
	case t.ID == "":
		return r.leaveOut(t, inbound.NoticeTokenUnknown)
	case !t.Expires.After(r.now):
		r.summary.Expired++
		return nil
	case t.User == "":
		return r.leaveOut(t, inbound.NoticeTokenWithoutUser)
	}
	if t.RevokedAt.IsZero() {
		t.RevokedAt = r.now
	}
	began := t.Issued
	if began.IsZero() {
		began = t.RevokedAt
	}
	s := session.Snapshot{
		ID: session.ForeignID(t.ID), User: t.User, Created: cutTime(began), Expires: cutTime(t.Expires),
		RevokedAt: cutTime(t.RevokedAt), Reason: session.SignedOut, Version: 1,
	}
	outcome := inbound.Added
	if r.options.DryRun {
		if _, err := r.Sessions.Get(ctx, s.ID); err == nil {
			outcome = inbound.Unchanged
		}
		r.summary.Tokens[outcome]++
		return nil
	}
	refused, err := r.Archive.Sessions().Put(ctx, []session.Snapshot{s})
	if err == nil && errors.Is(refused[0], outbound.ErrKeyTaken) {
		outcome = inbound.Unchanged
		_, err = r.Sessions.Update(ctx, s.ID, func(known *session.Session) error {
			if !known.Revoked() { // it was used here since, and blacklisted there
				outcome = inbound.Updated
				known.Revoke(s.RevokedAt, session.SignedOut)
			}
			return nil
		})
	} else if err == nil {
		err = refused[0]
	}
	if err == nil {
		r.summary.Tokens[outcome]++
	}
	return err
}

// leaveOut counts a revoked token that is not taken over, and reports it.
func (r *importRun) leaveOut(t outbound.RevokedToken, why inbound.Notice) error {
	r.summary.Tokens[inbound.Rejected]++
	r.summary.Notices[why]++
	return r.tell(inbound.ImportRow{Place: t.Place, Outcome: inbound.Rejected, Notices: []inbound.Notice{why}})
}
