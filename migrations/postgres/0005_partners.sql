-- The gate in front of other companies' systems: rate, concurrency and circuit, shared by all workers.
--
-- Safe beside older code: new tables only.
--
-- A pass is a row while a call runs. Inserting one takes the next slot, giving one back with its result moves the circuit.
-- Both take the partner's row first, so that what one of them counts stays true until it has written.

CREATE TABLE IF NOT EXISTS partner (
  partner_id      text COLLATE "C" PRIMARY KEY,
  circuit         text NOT NULL DEFAULT 'closed',
  failures        bigint NOT NULL DEFAULT 0,       -- in a row
  failures_max    bigint NOT NULL,                 -- so many open the circuit
  openings        bigint NOT NULL DEFAULT 0,       -- in a row: each doubles the time until the next probe
  open_ms         bigint NOT NULL,                 -- until the first probe
  open_ms_max     bigint NOT NULL,
  opened_at_ms    bigint,
  probe_at_ms     bigint,
  next_slot_us    bigint NOT NULL DEFAULT 0,       -- microseconds: a thousand calls a second are one per millisecond
  calls_total     bigint NOT NULL DEFAULT 0,
  failures_total  bigint NOT NULL DEFAULT 0,
  CONSTRAINT circuit_is_known CHECK (circuit IN ('closed', 'open', 'half-open')),
  CONSTRAINT a_circuit_that_is_not_closed_will_be_probed CHECK ((circuit = 'closed') = (probe_at_ms IS NULL))
) WITH (fillfactor = 20);

CREATE TABLE IF NOT EXISTS partner_pass (
  partner_pass_id text COLLATE "C" PRIMARY KEY,
  partner_id      text COLLATE "C" NOT NULL REFERENCES partner (partner_id),
  slot_us         bigint NOT NULL,
  spacing_us      bigint NOT NULL,
  probe           boolean NOT NULL,
  entered_at_ms   bigint NOT NULL,
  expires_at_ms   bigint NOT NULL,                 -- its holder died if it is still here then
  health          text,
  left_at_ms      bigint,
  busy_until_ms   bigint,                          -- as in 0011
  CONSTRAINT health_is_known CHECK (health IN ('well', 'failing'))
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE INDEX IF NOT EXISTS partner_pass_by_partner ON partner_pass (partner_id, expires_at_ms);

INSERT INTO partner (partner_id, failures_max, open_ms, open_ms_max)
VALUES ('factory', 5, 2000, 30000) ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION pass_takes_a_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE partner
     SET next_slot_us = NEW.slot_us + NEW.spacing_us,
         calls_total = calls_total + 1,
         circuit = CASE WHEN NEW.probe THEN 'half-open' ELSE circuit END
   WHERE partner_id = NEW.partner_id;
  DELETE FROM partner_pass WHERE partner_id = NEW.partner_id AND expires_at_ms <= NEW.entered_at_ms;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER pass_takes_a_slot AFTER INSERT ON partner_pass
FOR EACH ROW EXECUTE FUNCTION pass_takes_a_slot();

-- A probe decides alone. Other calls that were under way when the circuit opened can neither close it nor put
-- the probe off.
CREATE OR REPLACE FUNCTION pass_moves_the_circuit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.health = 'well' THEN
    UPDATE partner
       SET circuit = 'closed', failures = 0, openings = 0, opened_at_ms = NULL, probe_at_ms = NULL
     WHERE partner_id = NEW.partner_id AND (circuit = 'closed' OR NEW.probe)
       AND (circuit <> 'closed' OR failures <> 0 OR openings <> 0 OR opened_at_ms IS NOT NULL);
  ELSE
    UPDATE partner
       SET failures = failures + 1, failures_total = failures_total + 1
     WHERE partner_id = NEW.partner_id;
    UPDATE partner
       SET circuit = 'open', openings = openings + 1, opened_at_ms = coalesce(opened_at_ms, NEW.left_at_ms),
           probe_at_ms = NEW.left_at_ms + least(open_ms_max, open_ms << CAST(least(openings, 20) AS integer))
     WHERE partner_id = NEW.partner_id
       AND (NEW.probe OR circuit = 'closed' AND failures >= failures_max);
  END IF;
  DELETE FROM partner_pass WHERE partner_pass_id = NEW.partner_pass_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER pass_moves_the_circuit AFTER UPDATE OF health ON partner_pass
FOR EACH ROW WHEN (NEW.health IS NOT NULL) EXECUTE FUNCTION pass_moves_the_circuit();

-- Takes a pass for one call, if the partner's gate lets one through, and says how the gate stood otherwise. The trigger takes
-- the slot. No row: no such partner.
--
-- Callers of one partner take turns at its row. A turn waits for no disk: what a crash of the database could undo is passes
-- whose calls it does not know, for as long as a call takes.
--
-- A partner that fails gets one probe when its time has come. A probe whose holder died makes room for the next one
-- when it expires. A slot further away than any can be was given by a clock that was ahead, and counts for nothing.
CREATE OR REPLACE FUNCTION restock_partner_enter(
  IN p_partner_id text, IN p_now bigint, IN p_spacing_us bigint, IN p_concurrency bigint, IN p_hold_ms bigint,
  IN p_ahead_ms bigint, IN p_true_ms bigint)
RETURNS TABLE (pass_id text, start_at_ms bigint, probe boolean, failing boolean, probe_at_ms bigint,
               next_slot_us bigint, in_use bigint, first_expiry_ms bigint, probe_expiry_ms bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  gate partner;
  slot bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO gate FROM partner WHERE partner_id = p_partner_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  failing := gate.circuit <> 'closed';
  probe := failing;
  probe_at_ms := gate.probe_at_ms;
  next_slot_us := CASE WHEN gate.next_slot_us <= (p_now + p_true_ms) * 1000 THEN gate.next_slot_us ELSE 0 END;
  SELECT count(*), min(expires_at_ms), min(expires_at_ms) FILTER (WHERE other.probe)
    INTO in_use, first_expiry_ms, probe_expiry_ms
    FROM partner_pass AS other WHERE partner_id = p_partner_id AND expires_at_ms > p_now;
  slot := greatest(restock_partner_enter.next_slot_us, p_now * 1000);
  IF slot <= (p_now + p_ahead_ms) * 1000
     AND (NOT failing OR gate.probe_at_ms <= p_now AND probe_expiry_ms IS NULL)
     AND in_use < p_concurrency
  THEN
    pass_id := replace(CAST(gen_random_uuid() AS text), '-', '');
    start_at_ms := (slot + 999) / 1000;
    INSERT INTO partner_pass (partner_pass_id, partner_id, slot_us, spacing_us, probe, entered_at_ms, expires_at_ms)
    VALUES (pass_id, p_partner_id, slot, p_spacing_us, failing, p_now, start_at_ms + p_hold_ms);
  END IF;
  RETURN NEXT;
END
$$;

-- Gives a pass back with how the call went. The trigger moves the circuit and removes the pass. Changes nothing where the
-- pass expired or was given back before. Only what moves a circuit waits for the disk.
CREATE OR REPLACE FUNCTION restock_partner_leave(
  IN p_partner_pass_id text, IN p_health text, IN p_now bigint, IN p_busy_until_ms bigint)
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  gate partner;
BEGIN
  SELECT * INTO gate FROM partner
   WHERE partner_id = (SELECT partner_id FROM partner_pass WHERE partner_pass_id = p_partner_pass_id)
     FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF p_health = 'well' AND p_busy_until_ms IS NULL AND gate.circuit = 'closed' THEN
    PERFORM set_config('synchronous_commit', 'off', true);
  END IF;
  UPDATE partner_pass
     SET health = p_health, left_at_ms = p_now, busy_until_ms = p_busy_until_ms
   WHERE partner_pass_id = p_partner_pass_id AND health IS NULL AND expires_at_ms > p_now;
END
$$;
