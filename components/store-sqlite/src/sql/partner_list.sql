-- Reads all partners with their circuits.
--
-- ?1 now
SELECT partner_id, circuit, failures, failures_max, opened_at_ms, probe_at_ms, (next_slot_us + 999) / 1000,
       (SELECT count(*) FROM partner_pass
         WHERE partner_pass.partner_id = partner.partner_id AND expires_at_ms > ?1),
       calls_total, failures_total
  FROM partner
 ORDER BY partner_id;
