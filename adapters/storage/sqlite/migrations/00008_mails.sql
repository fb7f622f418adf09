-- +goose Up

-- What is known about the address of a user (user.EmailState, user.Contact). The index holds only the invited.
ALTER TABLE users ADD COLUMN email_state TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN contact TEXT NOT NULL DEFAULT '';
CREATE INDEX users_invited ON users (id) WHERE email_state = 'invitation';

-- The queue of mails. Users have their ids in the form of the API, '' for none. Due is NULL once a mail is finished.
CREATE TABLE mails (
    id        TEXT NOT NULL PRIMARY KEY,
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
) STRICT;

-- Due lists, the limits of an address, and sweeps. The index by address omits mails that were dropped, which any client can
-- cause in numbers. A list by state has no index: an operator asks for it, mails are deleted after a month, and each mail
-- would pay twice.
CREATE INDEX mails_due ON mails (due, id) WHERE due IS NOT NULL;
CREATE INDEX mails_begun ON mails (email_key, id) WHERE state = 'sent' OR state = 'waiting' AND attempts > 0;
CREATE INDEX mails_finished ON mails (finished) WHERE finished IS NOT NULL;
