-- The ledger of letters, and the turns of jobs that run now and then.
--
-- Safe beside older code: new tables only.

CREATE TABLE IF NOT EXISTS letter (
  letter_id       TEXT PRIMARY KEY,
  state           TEXT NOT NULL,
  provider        TEXT NOT NULL,            -- the one that has or had it last
  content         TEXT NOT NULL,            -- what was entrusted to it, word for word
  provider_ref    TEXT NOT NULL DEFAULT '', -- the provider's own id
  entrusted_total INTEGER NOT NULL DEFAULT 1, -- how often, since it was last unsent
  entrusted_at_ms INTEGER NOT NULL,
  sent_at_ms      INTEGER,
  CONSTRAINT a_letter_fits_a_row CHECK (length(content) <= 65536),
  CONSTRAINT letter_state_is_known CHECK (state IN ('entrusted', 'released', 'sent')),
  CONSTRAINT a_sent_letter_has_its_moment CHECK ((state = 'sent') = (sent_at_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS letter_by_time ON letter (entrusted_at_ms);

CREATE TABLE IF NOT EXISTS turn (
  job         TEXT PRIMARY KEY,
  taken_at_ms INTEGER NOT NULL,             -- not the next one: how often a job runs may be changed in between
  taken       INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
