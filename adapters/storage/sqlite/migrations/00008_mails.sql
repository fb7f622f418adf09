-- +goose Up

-- What is known about the address of a user, and the queue of mails.
ALTER TABLE users ADD COLUMN email_state TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN contact TEXT NOT NULL DEFAULT '';
CREATE INDEX users_invited ON users (id) WHERE email_state = 'invitation';

CREATE TABLE mails (
    id        TEXT PRIMARY KEY,
    kind      TEXT NOT NULL,
    account   TEXT NOT NULL,
    recipient TEXT NOT NULL,
    email_key TEXT NOT NULL,
    locale    TEXT NOT NULL,
    epoch     INTEGER NOT NULL,
    detail    TEXT NOT NULL,
    queued    INTEGER NOT NULL,
    state     TEXT NOT NULL,
    due       INTEGER,
    attempts  INTEGER NOT NULL,
    finished  INTEGER,
    reason    TEXT NOT NULL,
    version   INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX mails_due ON mails (due, id) WHERE due IS NOT NULL;
CREATE INDEX mails_key ON mails (email_key, id);
CREATE INDEX mails_finished ON mails (finished) WHERE finished IS NOT NULL;
