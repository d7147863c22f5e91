-- The gate in front of other companies' systems: rate, concurrency and circuit, shared by all workers.
--
-- Safe beside older code: new tables only.
--
-- A pass is a row while a call runs. Inserting one takes the next slot, giving one back with its result moves the circuit.

CREATE TABLE IF NOT EXISTS partner (
  partner_id      TEXT PRIMARY KEY,
  circuit         TEXT NOT NULL DEFAULT 'closed',
  failures        INTEGER NOT NULL DEFAULT 0,      -- in a row
  failures_max    INTEGER NOT NULL,                -- so many open the circuit
  openings        INTEGER NOT NULL DEFAULT 0,      -- in a row: each doubles the time until the next probe
  open_ms         INTEGER NOT NULL,                -- until the first probe
  open_ms_max     INTEGER NOT NULL,
  opened_at_ms    INTEGER,
  probe_at_ms     INTEGER,
  next_slot_us    INTEGER NOT NULL DEFAULT 0,      -- microseconds: a thousand calls a second are one per millisecond
  calls_total     INTEGER NOT NULL DEFAULT 0,
  failures_total  INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT circuit_is_known CHECK (circuit IN ('closed', 'open', 'half-open')),
  CONSTRAINT a_circuit_that_is_not_closed_will_be_probed CHECK ((circuit = 'closed') = (probe_at_ms IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS partner_pass (
  partner_pass_id TEXT PRIMARY KEY,
  partner_id      TEXT NOT NULL REFERENCES partner (partner_id),
  slot_us         INTEGER NOT NULL,
  spacing_us      INTEGER NOT NULL,
  probe           INTEGER NOT NULL,
  entered_at_ms   INTEGER NOT NULL,
  expires_at_ms   INTEGER NOT NULL,                -- its holder died if it is still here then
  health          TEXT,
  left_at_ms      INTEGER,
  CONSTRAINT health_is_known CHECK (health IN ('well', 'failing'))
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS partner_pass_by_partner ON partner_pass (partner_id, expires_at_ms);

INSERT INTO partner (partner_id, failures_max, open_ms, open_ms_max)
VALUES ('factory', 5, 2000, 30000) ON CONFLICT DO NOTHING;

CREATE TRIGGER IF NOT EXISTS pass_takes_a_slot AFTER INSERT ON partner_pass
BEGIN
  UPDATE partner
     SET next_slot_us = NEW.slot_us + NEW.spacing_us,
         calls_total = calls_total + 1,
         circuit = CASE WHEN NEW.probe THEN 'half-open' ELSE circuit END
   WHERE partner_id = NEW.partner_id;
  DELETE FROM partner_pass WHERE partner_id = NEW.partner_id AND expires_at_ms <= NEW.entered_at_ms;
END;

-- A probe decides alone. Other calls that were under way when the circuit opened can neither close it nor put
-- the probe off.
CREATE TRIGGER IF NOT EXISTS pass_moves_the_circuit AFTER UPDATE OF health ON partner_pass
BEGIN
  UPDATE partner
     SET circuit = 'closed', failures = 0, openings = 0, opened_at_ms = NULL, probe_at_ms = NULL
   WHERE partner_id = NEW.partner_id AND NEW.health = 'well' AND (circuit = 'closed' OR NEW.probe);
  UPDATE partner
     SET failures = failures + 1, failures_total = failures_total + 1
   WHERE partner_id = NEW.partner_id AND NEW.health = 'failing';
  UPDATE partner
     SET circuit = 'open', openings = openings + 1, opened_at_ms = coalesce(opened_at_ms, NEW.left_at_ms),
         probe_at_ms = NEW.left_at_ms + min(open_ms_max, open_ms << min(openings, 20))
   WHERE partner_id = NEW.partner_id AND NEW.health = 'failing'
     AND (NEW.probe OR circuit = 'closed' AND failures >= failures_max);
  DELETE FROM partner_pass WHERE partner_pass_id = NEW.partner_pass_id;
END;
