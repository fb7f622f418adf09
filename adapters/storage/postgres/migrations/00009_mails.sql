-- +goose Up

-- What is known about the address of a user, and the queue of mails.
ALTER TABLE users ADD COLUMN email_state text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN contact text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX users_invited ON users (id) WHERE email_state = 'invitation';

CREATE TABLE mails (
    id        text COLLATE "C" PRIMARY KEY,
    kind      text COLLATE "C" NOT NULL,
    account   text COLLATE "C" NOT NULL,
    recipient text COLLATE "C" NOT NULL,
    email_key text COLLATE "C" NOT NULL,
    locale    text COLLATE "C" NOT NULL,
    epoch     bigint NOT NULL,
    detail    text COLLATE "C" NOT NULL,
    queued    bigint NOT NULL,
    state     text COLLATE "C" NOT NULL,
    due       bigint,
    attempts  bigint NOT NULL,
    finished  bigint,
    reason    text COLLATE "C" NOT NULL,
    version   bigint NOT NULL CHECK (version > 0)
);

CREATE INDEX mails_due ON mails (due, id) WHERE due IS NOT NULL;
CREATE INDEX mails_key ON mails (email_key, id);
CREATE INDEX mails_finished ON mails (finished) WHERE finished IS NOT NULL;
