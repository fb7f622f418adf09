-- +goose Up

-- A search examines a bounded number of users from here on, and needs no extension.
--
-- A term is found by its trigrams: every three characters in a row of the text that is searched, and the one or two
-- at its end. A bitmap of an index is built whole before its first row is read, so the users are divided into nine
-- parts, by a hash of the id: part 8 has one user of 65,536, part 7 three times as many, each next part four times as
-- many as the one before. The number of the part begins each trigram. A search reads the parts from the smallest on
-- until it has enough, so that it reads about four times what it needs however frequent a term is.

DROP INDEX IF EXISTS users_search;

-- The cost keeps the planner from calling this for each row.
-- +goose StatementBegin
CREATE FUNCTION user_trigrams(id text, search text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
    SELECT array_to_tsvector(array_agg(part || substr(search, i, 3)))
        FROM (SELECT width_bucket(bits & -bits, '{4,16,64,256,1024,4096,16384,65536}'::integer[])::text AS part
            FROM (SELECT hashtext(id) | 65536 AS bits OFFSET 0) AS hashed OFFSET 0) AS of,
        generate_series(1, length(search)) AS i
$$;
-- +goose StatementEnd

CREATE INDEX users_search ON users USING gin (user_trigrams(id, search)) WITH (fastupdate = off);

-- user_candidates returns the places of the users that a search examines, at most as many as most.
--
-- trigrams are those of the terms, without the part before and with the end of a tsquery operand behind: ann' or, for
-- all that begin with two characters, an':*. Of several, those are looked up that are the rarest in a part with some
-- hundreds of users. The index steps through each user with the rarest one: parts with more than some 10,000 of these
-- are left out. A user whose email address is a term comes first. When the search is for staff or inactive users, and
-- there are few, all of them are examined.
-- +goose StatementBegin
CREATE FUNCTION user_candidates(trigrams text[], terms text[], most integer, only_staff boolean, only_inactive boolean) RETURNS tid[]
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    found tid[];
    more tid[];
    sampled integer;
    rarest bigint;
BEGIN
    IF only_staff AND (SELECT sum(value) FROM user_counts WHERE staff) <= most THEN
        RETURN ARRAY(SELECT ctid FROM users WHERE staff);
    ELSIF only_inactive AND (SELECT sum(value) FROM user_counts WHERE NOT active) <= most THEN
        RETURN ARRAY(SELECT ctid FROM users WHERE NOT active);
    END IF;
    IF cardinality(trigrams) > 1 THEN
        sampled := width_bucket((SELECT sum(value)::bigint FROM user_counts),
            '{1000,4000,16000,64000,256000,1024000,4096000,16384000}'::bigint[]);
        SELECT array_agg(trigram), min(users) INTO trigrams, rarest FROM (
            SELECT trigram, users FROM unnest(trigrams) AS trigram, LATERAL (SELECT count(*) AS users FROM (
                SELECT FROM users WHERE user_trigrams(id, search) @@ ('''' || sampled || trigram)::tsquery LIMIT 50) AS sample) AS counted
            ORDER BY users, trigram LIMIT 3) AS few;
    END IF;
    found := ARRAY(SELECT ctid FROM users WHERE email_key = ANY (terms));
    FOR part IN REVERSE 8..0 LOOP
        EXIT WHEN cardinality(found) >= most OR rarest * power(4, sampled - part) > 10000;
        more := ARRAY(SELECT ctid FROM users
            WHERE user_trigrams(id, search) @@ ('''' || part || array_to_string(trigrams, ' & ''' || part))::tsquery
            LIMIT most - cardinality(found));
        found := found || more;
    END LOOP;
    RETURN found;
END
$$;
-- +goose StatementEnd
