-- +goose Up

-- Searching is served by an index where the extension pg_trgm may be made or has been. Elsewhere the
-- same condition is answered without one: slower, with the same results. Whoever installs pg_trgm
-- later makes the index as below. Without fastupdate each change of a user pays for itself, and none
-- for a thousand others.
--     CREATE INDEX CONCURRENTLY users_search ON users USING gin (search gin_trgm_ops) WITH (fastupdate = off);

-- +goose StatementBegin
DO $$
DECLARE
    home name;
BEGIN
    BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN OTHERS THEN -- not installed, not allowed, not on this service's list
        RAISE NOTICE 'searching goes without an index: %', SQLERRM;
    END;
    SELECT n.nspname INTO home
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_trgm';
    IF FOUND THEN
        EXECUTE pg_catalog.format('CREATE INDEX IF NOT EXISTS users_search ON users USING gin (search %I.gin_trgm_ops) WITH (fastupdate = off)', home);
    END IF;
END
$$;
-- +goose StatementEnd
