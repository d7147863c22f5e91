-- Makes the table that keeps which migrations were applied. Costs no write where it exists.
CREATE TABLE IF NOT EXISTS schema_migration (
  version       INTEGER PRIMARY KEY,
  name          TEXT NOT NULL,
  applied_at_ms INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) STRICT;
