-- Applies one file of migrations/postgres, as a whole or not at all, once: of several replicas that start together one does it
-- and the others wait for it. One statement, so no transaction spans two calls.
--
-- Not a statement with parameters (DO has none): the store puts the number, the name, the oldest program beside it and the text
-- of the file in the braces, its own words.
DO $restock_apply$
BEGIN
  PERFORM pg_advisory_xact_lock(1920168043, 0);
  IF NOT EXISTS (SELECT 1 FROM schema_migration WHERE version >= {version}) THEN
    EXECUTE $restock_file${file}$restock_file$;
    INSERT INTO schema_migration (version, name, oldest) VALUES ({version}, '{name}', {oldest})
      ON CONFLICT (version) DO NOTHING;
  END IF;
END
$restock_apply$;
