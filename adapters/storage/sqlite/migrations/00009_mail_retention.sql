-- +goose Up

-- Sweeps of the queue of mails: each final state has its own retention, since any client can cause mails that are dropped.
DROP INDEX mails_finished;
CREATE INDEX mails_state_finished ON mails (state, finished) WHERE finished IS NOT NULL;
