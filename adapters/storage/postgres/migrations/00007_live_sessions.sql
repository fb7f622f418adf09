-- +goose Up

-- The lists of a user's sessions, newest first, without those that were revoked: a client that signs in and out
-- all day leaves many of these, and each sign-in asks which sessions are too many.
DROP INDEX sessions_owner;
CREATE INDEX sessions_owner ON sessions (owner);
CREATE INDEX sessions_live ON sessions (owner, created, id) WHERE revoked_at IS NULL;
