-- +goose Up

-- The times of users are Unix microseconds from here on, as exact as Django's; all others stay in
-- milliseconds. The columns have new names, so that an older program, which would misread them, fails.
ALTER TABLE users RENAME COLUMN joined TO joined_us;
ALTER TABLE users RENAME COLUMN last_login TO last_login_us;
ALTER TABLE users RENAME COLUMN sessions_valid_after TO sessions_valid_after_us;
ALTER INDEX users_joined RENAME TO users_joined_us;

-- The table is written anew rather than updated, which would leave each row twice.
ALTER TABLE users
    ALTER COLUMN joined_us TYPE bigint USING 1000 * joined_us,
    ALTER COLUMN last_login_us TYPE bigint USING 1000 * last_login_us,
    ALTER COLUMN sessions_valid_after_us TYPE bigint USING 1000 * sessions_valid_after_us;
