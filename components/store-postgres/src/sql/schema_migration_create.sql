-- Makes the table that keeps which migrations were applied. Takes no lock where it exists.
--
-- `oldest` is the oldest program that may go on beside a migration, named by the version that it knows. A migration
-- that does not say permits none.
DO $$
BEGIN
  IF to_regclass('schema_migration') IS NULL THEN
    -- Once made it cannot be changed, and names would fail one by one. So this file is ASCII, as what reads the version is.
    IF current_setting('server_encoding') <> 'UTF8' THEN
      RAISE EXCEPTION 'the encoding is %, and must be UTF8, which only a new database can have: CREATE DATABASE name TEMPLATE template0 ENCODING UTF8',
        current_setting('server_encoding') USING ERRCODE = 'feature_not_supported';
    END IF;
    PERFORM pg_advisory_xact_lock(1920168043, 0);
    CREATE TABLE IF NOT EXISTS schema_migration (
      version       bigint PRIMARY KEY,
      name          text NOT NULL,
      oldest        bigint NOT NULL DEFAULT 2147483647,
      applied_at_ms bigint NOT NULL DEFAULT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)
    );
  END IF;
END
$$;
