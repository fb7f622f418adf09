-- +goose Up

-- What lists of one kind of users, searches and counts need so as not to read all users.

-- The order within each kind of users; a list of two kinds merges two of these. The most common list, of all
-- users, uses the indexes without kinds.
CREATE INDEX users_kind_id ON users (active, staff, id);
CREATE INDEX users_kind_joined ON users (active, staff, joined, id);
CREATE INDEX users_kind_email ON users (active, staff, email, id);
CREATE INDEX users_kind_first_name ON users (active, staff, first_name, id);
CREATE INDEX users_kind_last_name ON users (active, staff, last_name, id);

-- How many users there are of each kind; all together they are counted likewise from now on.
CREATE TABLE user_counts (
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    staff  INTEGER NOT NULL CHECK (staff IN (0, 1)),
    value  INTEGER NOT NULL CHECK (value >= 0),
    PRIMARY KEY (active, staff)
) STRICT, WITHOUT ROWID;

INSERT INTO user_counts (active, staff, value) VALUES (0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0);
UPDATE user_counts SET value =
    (SELECT count(*) FROM users WHERE users.active = user_counts.active AND users.staff = user_counts.staff);

DROP TRIGGER users_added;
DROP TRIGGER users_removed;
DELETE FROM counters WHERE name = 'users';

-- An index over every three characters in a row of the text that is searched. It holds no text of its
-- own (external content), and neither positions (detail) nor sizes (columnsize): only which users have
-- which three. What it finds is compared with the text itself. Should it ever be in doubt,
--     INSERT INTO users_search (users_search) VALUES ('rebuild');
-- makes it anew.
--
-- It knows users by a number of their own, since VACUUM may change the rowids of a table like users.

ALTER TABLE users ADD COLUMN number INTEGER;
UPDATE users SET number = rowid;
CREATE UNIQUE INDEX users_number ON users (number);

-- Two line feeds after the text let its last one and two characters begin three in a row as well: what
-- holds fewer than three is found by how three begin.
CREATE VIEW user_texts AS SELECT number, search || char(10, 10) AS search FROM users;

CREATE VIRTUAL TABLE users_search USING fts5 (
    search, content = 'user_texts', content_rowid = 'number',
    tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0
);
INSERT INTO users_search (users_search) VALUES ('rebuild');

-- The trigrams, and the users that have them.
CREATE VIRTUAL TABLE user_trigrams USING fts5vocab (users_search, instance);

-- +goose StatementBegin
CREATE TRIGGER users_added AFTER INSERT ON users BEGIN
    UPDATE user_counts SET value = value + 1 WHERE active = new.active AND staff = new.staff;
    UPDATE users SET number = (SELECT coalesce(max(number), 0) + 1 FROM users) WHERE rowid = new.rowid;
    INSERT INTO users_search (rowid, search) SELECT number, search FROM user_texts WHERE number = (SELECT max(number) FROM users);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER users_removed AFTER DELETE ON users BEGIN
    UPDATE user_counts SET value = value - 1 WHERE active = old.active AND staff = old.staff;
    INSERT INTO users_search (users_search, rowid, search) VALUES ('delete', old.number, old.search || char(10, 10));
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER users_moved AFTER UPDATE OF active, staff ON users WHEN old.active <> new.active OR old.staff <> new.staff BEGIN
    UPDATE user_counts SET value = value - 1 WHERE active = old.active AND staff = old.staff;
    UPDATE user_counts SET value = value + 1 WHERE active = new.active AND staff = new.staff;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER users_renamed AFTER UPDATE OF search ON users WHEN old.search <> new.search BEGIN
    INSERT INTO users_search (users_search, rowid, search) VALUES ('delete', old.number, old.search || char(10, 10));
    INSERT INTO users_search (rowid, search) VALUES (new.number, new.search || char(10, 10));
END;
-- +goose StatementEnd
