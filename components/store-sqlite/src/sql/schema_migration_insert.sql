-- Notes that a migration was applied.
--
-- ?1 version  ?2 name
INSERT INTO schema_migration (version, name) VALUES (?1, ?2) ON CONFLICT (version) DO NOTHING;
