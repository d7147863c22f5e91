-- The ledger of letters, and the turns of jobs that run now and then.
--
-- Safe beside older code: new tables only. The pair of migrations/sqlite/0009_letters_and_turns.sql.
--
-- Every operation here is one statement on one row, which Postgres locks and looks at again before it changes it: two callers at
-- once see each other's whole change or none of it.

CREATE TABLE IF NOT EXISTS letter (
  letter_id       text COLLATE "C" PRIMARY KEY, -- looked for by how it begins (ad_errand.sql)
  state           text NOT NULL,
  provider        text NOT NULL,            -- the one that has or had it last
  content         text NOT NULL,            -- what was entrusted to it, word for word
  provider_ref    text NOT NULL DEFAULT '', -- the provider's own id
  entrusted_total bigint NOT NULL DEFAULT 1, -- how often, since it was last unsent
  entrusted_at_ms bigint NOT NULL,
  sent_at_ms      bigint,
  CONSTRAINT a_letter_fits_a_row CHECK (length(content) <= 65536),
  CONSTRAINT letter_state_is_known CHECK (state IN ('entrusted', 'released', 'sent')),
  CONSTRAINT a_sent_letter_has_its_moment CHECK ((state = 'sent') = (sent_at_ms IS NOT NULL))
);

CREATE INDEX IF NOT EXISTS letter_by_time ON letter (entrusted_at_ms);

CREATE TABLE IF NOT EXISTS turn (
  job         text PRIMARY KEY,
  taken_at_ms bigint NOT NULL,              -- not the next one: how often a job runs may be changed in between
  taken       bigint NOT NULL DEFAULT 1
);
