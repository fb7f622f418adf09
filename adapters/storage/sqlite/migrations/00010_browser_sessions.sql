-- +goose Up

-- The digest of the secret in the cookie of a browser session; '' for a session of tokens.
ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT '';
