-- +goose Up

-- An index of the extension pg_trgm was made here, until migration 8 replaced it.
