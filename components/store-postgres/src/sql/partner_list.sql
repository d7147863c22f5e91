-- Reads all partners with their circuits.
--
-- $1 now  $2 how far away a slot can be at all, ms
SELECT partner_id, circuit, failures, failures_max, opened_at_ms, probe_at_ms,
       CASE WHEN next_slot_us <= ($1::bigint + $2::bigint) * 1000 THEN (next_slot_us + 999) / 1000 ELSE 0 END,
       (SELECT count(*) FROM partner_pass
         WHERE partner_pass.partner_id = partner.partner_id AND expires_at_ms > $1::bigint),
       calls_total, failures_total
  FROM partner
 ORDER BY partner_id;
