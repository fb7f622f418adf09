package transfer

import (
	"cmp"
	"context"
	"errors"

	"roster/domain/session"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// revoke imports a revoked refresh token as a revoked session, under the id of a token without a session claim.
func (r *importRun) revoke(ctx context.Context, t outbound.RevokedToken) error {
	r.done++
	r.progress("revoked tokens", r.done, r.total)
	switch {
	case t.ID == "":
		return r.skipToken(t, inbound.NoticeTokenUnknown)
	case !t.Expires.After(r.now):
		r.summary.Expired++
		return nil
	case t.User == "":
		return r.skipToken(t, inbound.NoticeTokenWithoutUser)
	}
	revoked := cmp.Or(t.RevokedAt, r.now)
	s := session.Snapshot{
		ID: session.SessionlessID(t.ID), User: t.User, Created: truncateTime(cmp.Or(t.Issued, revoked)),
		Expires: truncateTime(t.Expires), RevokedAt: truncateTime(revoked), Reason: session.SignedOut, Version: 1,
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
	if err == nil {
		err = refused[0]
	}
	if errors.Is(err, outbound.ErrKeyTaken) {
		outcome = inbound.Unchanged
		_, err = r.Sessions.Update(ctx, s.ID, func(known *session.Session) error {
			if !known.Revoked() { // used here since the last import, and blacklisted in the source
				outcome = inbound.Updated
				known.Revoke(s.RevokedAt, session.SignedOut)
			}
			return nil
		})
	}
	if err == nil {
		r.summary.Tokens[outcome]++
	}
	return err
}

// skipToken counts and reports a revoked token that is left out.
func (r *importRun) skipToken(t outbound.RevokedToken, why inbound.Notice) error {
	r.summary.Tokens[inbound.Rejected]++
	r.summary.Notices[why]++
	return r.report(inbound.ImportRow{Location: t.Location, Outcome: inbound.Rejected, Notices: []inbound.Notice{why}})
}
