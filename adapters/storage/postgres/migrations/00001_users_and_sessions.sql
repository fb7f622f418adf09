-- +goose Up

-- Ids are the domain's sort keys (user.ID.SortKey), so that the order of bytes is the order of ids.
-- Times are Unix milliseconds, NULL for never. Text is compared byte by byte (COLLATE "C"), whatever
-- the database's locale.

CREATE TABLE users (
    id                   text    COLLATE "C" NOT NULL,
    email                text    COLLATE "C" NOT NULL,
    email_key            text    COLLATE "C" NOT NULL,
    first_name           text    COLLATE "C" NOT NULL,
    last_name            text    COLLATE "C" NOT NULL,
    active               boolean NOT NULL,
    staff                boolean NOT NULL,
    password             text    COLLATE "C" NOT NULL,
    joined               bigint  NOT NULL,
    last_login           bigint,
    sessions_valid_after bigint,
    version              bigint  NOT NULL CHECK (version > 0),
    search               text    COLLATE "C" NOT NULL,
    CONSTRAINT users_id PRIMARY KEY (id)
);

CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_joined ON users (joined, id);
CREATE INDEX users_email ON users (email, id);
CREATE INDEX users_first_name ON users (first_name, id);
CREATE INDEX users_last_name ON users (last_name, id);

-- The kinds with few users; lists of the other kinds find enough users in any order.
CREATE INDEX users_staff ON users (id) WHERE staff;
CREATE INDEX users_inactive ON users (id) WHERE NOT active;

-- No foreign key: a user goes first and their sessions afterwards; what a crash leaves behind is
-- harmless, since a session without its user is dead, and is swept when it expires.
CREATE TABLE sessions (
    id         text   COLLATE "C" NOT NULL,
    owner      text   COLLATE "C" NOT NULL,
    created    bigint NOT NULL,
    confirmed  bigint NOT NULL,
    expires    bigint NOT NULL,
    generation bigint NOT NULL CHECK (generation >= 0),
    rotated_at bigint,
    revoked_at bigint,
    reason     text   COLLATE "C" NOT NULL,
    user_agent text   COLLATE "C" NOT NULL,
    address    text   COLLATE "C" NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),
    CONSTRAINT sessions_id PRIMARY KEY (id)
);

CREATE INDEX sessions_owner ON sessions (owner);
CREATE INDEX sessions_expires ON sessions (expires);

-- user_id: the highest counted id ever given or added; it never goes back. A sequence would not do: an
-- added id could not raise it without a race in which another instance lowers it.
CREATE TABLE counters (
    name  text   COLLATE "C" NOT NULL PRIMARY KEY,
    value bigint NOT NULL CHECK (value >= 0)
);

INSERT INTO counters (name, value) VALUES ('user_id', 0);

-- How many users there are of each kind, so that counting them does not cost more as they grow. Each
-- server process counts in a slot of its own or nearly so, since one row for all would make
-- registrations wait for each other; what counts is the sum over the slots.
CREATE TABLE user_counts (
    active boolean NOT NULL,
    staff  boolean NOT NULL,
    slot   integer NOT NULL,
    value  bigint  NOT NULL,
    CONSTRAINT user_counts_id PRIMARY KEY (active, staff, slot)
) WITH (fillfactor = 50);

-- The functions find their tables whatever the search path of the session that changes a user. The rows are
-- locked in one order, so that there is no deadlock.

-- +goose StatementBegin
CREATE FUNCTION users_added() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO user_counts AS c (active, staff, slot, value)
        SELECT active, staff, pg_backend_pid() % 32, count(*) FROM changed GROUP BY active, staff ORDER BY active, staff
        ON CONFLICT (active, staff, slot) DO UPDATE SET value = c.value + excluded.value;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION users_removed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO user_counts AS c (active, staff, slot, value)
        SELECT active, staff, pg_backend_pid() % 32, -count(*) FROM changed GROUP BY active, staff ORDER BY active, staff
        ON CONFLICT (active, staff, slot) DO UPDATE SET value = c.value + excluded.value;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION users_moved() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO user_counts AS c (active, staff, slot, value)
        SELECT active, staff, pg_backend_pid() % 32, value
            FROM (VALUES (OLD.active, OLD.staff, -1), (NEW.active, NEW.staff, 1)) AS moved (active, staff, value)
            ORDER BY active, staff
        ON CONFLICT (active, staff, slot) DO UPDATE SET value = c.value + excluded.value;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER users_added AFTER INSERT ON users
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION users_added();
CREATE TRIGGER users_removed AFTER DELETE ON users
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION users_removed();
CREATE TRIGGER users_moved AFTER UPDATE OF active, staff ON users
    FOR EACH ROW WHEN (OLD.active <> NEW.active OR OLD.staff <> NEW.staff) EXECUTE FUNCTION users_moved();
