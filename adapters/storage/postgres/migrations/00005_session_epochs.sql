-- +goose Up

-- Whether a session is from before all of its owner's were ended is decided by a counter from here on, not
-- by times, which come from different clocks. Users also get the networks from which they signed in.
ALTER TABLE users
    ADD COLUMN session_epoch bigint NOT NULL DEFAULT 0 CHECK (session_epoch >= 0),
    ADD COLUMN networks text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0);

UPDATE users SET session_epoch = 1 WHERE sessions_valid_after_us IS NOT NULL;
UPDATE sessions SET epoch = 1 FROM users
    WHERE users.id = sessions.owner AND users.sessions_valid_after_us <= 1000 * sessions.confirmed;

-- An older program, which would go on comparing times, fails without this column.
ALTER TABLE sessions DROP COLUMN confirmed;
