-- +goose Up

-- The times of users are Unix microseconds from here on, as exact as Django's; all others stay in
-- milliseconds. The columns have new names, so that an older program, which would misread them, fails.
DROP INDEX users_joined;
DROP INDEX users_kind_joined;
ALTER TABLE users RENAME COLUMN joined TO joined_us;
ALTER TABLE users RENAME COLUMN last_login TO last_login_us;
ALTER TABLE users RENAME COLUMN sessions_valid_after TO sessions_valid_after_us;

UPDATE users SET joined_us = 1000 * joined_us, last_login_us = 1000 * last_login_us, sessions_valid_after_us = 1000 * sessions_valid_after_us;

CREATE INDEX users_joined_us ON users (joined_us, id);
CREATE INDEX users_kind_joined_us ON users (active, staff, joined_us, id);
