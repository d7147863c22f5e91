-- Reads the number of the newest migration that was applied, 0 where none was.
SELECT coalesce(max(version), 0) FROM schema_migration;
