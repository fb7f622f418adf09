-- +goose Up

-- What is known about the address of a user (user.EmailState, user.Contact). The index holds only the invited.
ALTER TABLE users ADD COLUMN email_state text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN contact text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX users_invited ON users (id) WHERE email_state = 'invitation';

-- The queue of mails. Users have their ids in the form of the API, '' for none. Due is NULL once a mail is finished.
CREATE TABLE mails (
    id        text COLLATE "C" NOT NULL,
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
    version   bigint NOT NULL CHECK (version > 0),
    CONSTRAINT mails_id PRIMARY KEY (id)
);

-- Due lists, the limits of an address, and sweeps. The index by address omits mails that were dropped, which any client can
-- cause in numbers. A list by state has no index: an operator asks for it, mails are deleted after a month, and each mail
-- would pay twice.
CREATE INDEX mails_due ON mails (due, id) WHERE due IS NOT NULL;
CREATE INDEX mails_begun ON mails (email_key, id) WHERE state = 'sent' OR state = 'waiting' AND attempts > 0;
CREATE INDEX mails_finished ON mails (finished) WHERE finished IS NOT NULL;
