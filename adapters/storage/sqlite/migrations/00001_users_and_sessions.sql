-- +goose Up

-- Ids are the domain's sort keys (user.ID.SortKey), so that the order of bytes is the order of ids.
-- Times are Unix milliseconds, NULL for never. Text is compared byte by byte (BINARY, the default).

CREATE TABLE users (
    id                   TEXT    NOT NULL PRIMARY KEY,
    email                TEXT    NOT NULL,
    email_key            TEXT    NOT NULL,
    first_name           TEXT    NOT NULL,
    last_name            TEXT    NOT NULL,
    active               INTEGER NOT NULL CHECK (active IN (0, 1)),
    staff                INTEGER NOT NULL CHECK (staff IN (0, 1)),
    password             TEXT    NOT NULL,
    joined               INTEGER NOT NULL,
    last_login           INTEGER,
    sessions_valid_after INTEGER,
    version              INTEGER NOT NULL CHECK (version > 0),
    search               TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_joined ON users (joined, id);
CREATE INDEX users_email ON users (email, id);
CREATE INDEX users_first_name ON users (first_name, id);
CREATE INDEX users_last_name ON users (last_name, id);

-- No foreign key: a user goes first and their sessions afterwards; what a crash leaves behind is
-- harmless, since a session without its user is dead, and is swept when it expires.
CREATE TABLE sessions (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    confirmed  INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    rotated_at INTEGER,
    revoked_at INTEGER,
    reason     TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0)
) STRICT;

CREATE INDEX sessions_owner ON sessions (owner);
CREATE INDEX sessions_expires ON sessions (expires);

-- user_id: the highest counted id ever given or added; it never goes back.
-- users: how many users there are, so that counting them does not cost more as they grow.
CREATE TABLE counters (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL CHECK (value >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, value) VALUES ('user_id', 0), ('users', 0);

-- +goose StatementBegin
CREATE TRIGGER users_added AFTER INSERT ON users BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'users';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER users_removed AFTER DELETE ON users BEGIN
    UPDATE counters SET value = value - 1 WHERE name = 'users';
END;
-- +goose StatementEnd
