-- +goose Up

-- When a session was last used, and the lists of a user's sessions, newest first.
ALTER TABLE sessions ADD COLUMN used_at bigint;
DROP INDEX sessions_owner;
CREATE INDEX sessions_owner ON sessions (owner, created, id);

-- Failed sign-ins in a row; the id is what they are counted for (lockout.Subject).
CREATE TABLE attempts (
    id       text   COLLATE "C" NOT NULL,
    failures bigint NOT NULL CHECK (failures >= 0),
    last     bigint NOT NULL,
    expires  bigint NOT NULL,
    version  bigint NOT NULL CHECK (version > 0),
    CONSTRAINT attempts_id PRIMARY KEY (id)
);

CREATE INDEX attempts_expires ON attempts (expires);

-- The audit trail. Users have their ids in the form of the API, '' for none: events outlive users, and are ordered
-- by time only.
CREATE TABLE audit_events (
    id         text   COLLATE "C" NOT NULL,
    at         bigint NOT NULL,
    kind       text   COLLATE "C" NOT NULL,
    actor      text   COLLATE "C" NOT NULL,
    target     text   COLLATE "C" NOT NULL,
    session    text   COLLATE "C" NOT NULL,
    channel    text   COLLATE "C" NOT NULL,
    address    text   COLLATE "C" NOT NULL,
    user_agent text   COLLATE "C" NOT NULL,
    request_id text   COLLATE "C" NOT NULL,
    detail     text   COLLATE "C" NOT NULL,
    CONSTRAINT audit_events_id PRIMARY KEY (id)
);

-- A list uses the one index over all its conditions, once for each kind. The indexes by actor and target omit events
-- without one: failed sign-ins, which any client can cause in numbers, cost the least.
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_kind ON audit_events (kind, at, id);
CREATE INDEX audit_events_actor ON audit_events (actor, at, id) WHERE actor <> '';
CREATE INDEX audit_events_actor_kind ON audit_events (actor, kind, at, id) WHERE actor <> '';
CREATE INDEX audit_events_target ON audit_events (target, at, id) WHERE target <> '';
CREATE INDEX audit_events_target_kind ON audit_events (target, kind, at, id) WHERE target <> '';
