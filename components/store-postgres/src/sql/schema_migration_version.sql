-- Reads the number of the newest migration that was applied, 0 where none was, and the oldest program that may run on it.
SELECT coalesce(max(version), 0), coalesce(max(oldest), 0) FROM schema_migration;
