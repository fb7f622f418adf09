-- +goose Up

-- When a session was last used, and the lists of a user's sessions, newest first.
ALTER TABLE sessions ADD COLUMN used_at INTEGER;
DROP INDEX sessions_owner;
CREATE INDEX sessions_owner ON sessions (owner, created, id);

-- Failed sign-ins in a row; the id is what they are counted for (lockout.Subject).
CREATE TABLE attempts (
    id       TEXT    NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    last     INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    version  INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_expires ON attempts (expires);

-- The audit trail. Users have their ids in the form of the API, '' for none: events outlive users, and are ordered
-- by time only.
CREATE TABLE audit_events (
    id         TEXT    NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    session    TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    detail     TEXT    NOT NULL
) STRICT;

-- A list uses the one index over all its conditions, once for each kind. The indexes by actor and target omit events
-- without one: failed sign-ins, which any client can cause in numbers, cost the least.
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_kind ON audit_events (kind, at, id);
CREATE INDEX audit_events_actor ON audit_events (actor, at, id) WHERE actor <> '';
CREATE INDEX audit_events_actor_kind ON audit_events (actor, kind, at, id) WHERE actor <> '';
CREATE INDEX audit_events_target ON audit_events (target, at, id) WHERE target <> '';
CREATE INDEX audit_events_target_kind ON audit_events (target, kind, at, id) WHERE target <> '';
