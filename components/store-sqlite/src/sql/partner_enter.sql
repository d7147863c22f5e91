-- Takes a pass for one call, if the partner's gate lets one through. The trigger takes the slot.
--
-- ?1 partner_id  ?2 now  ?3 spacing of calls, us  ?4 calls at a time  ?5 hold, ms  ?6 how far away a slot may be, ms
-- ?7 the same of one that can be true at all
--
-- No row: the gate is shut; partner_gate.sql says why.
--
-- A partner that fails gets one probe when its time has come. A probe whose holder died makes room for the next one
-- when it expires. A slot further away than any can be was given by a clock that was ahead, and counts for nothing.
INSERT INTO partner_pass (partner_pass_id, partner_id, slot_us, spacing_us, probe, entered_at_ms, expires_at_ms)
SELECT lower(hex(randomblob(16))), partner_id, slot_us, ?3, probe, ?2, (slot_us + 999) / 1000 + ?5
  FROM (SELECT partner_id, circuit <> 'closed' AS probe, probe_at_ms,
               max(CASE WHEN next_slot_us <= (?2 + ?7) * 1000 THEN next_slot_us ELSE 0 END, ?2 * 1000) AS slot_us
          FROM partner
         WHERE partner_id = ?1)
 WHERE slot_us <= (?2 + ?6) * 1000
   AND (probe = 0
        OR probe_at_ms <= ?2
       AND NOT EXISTS (SELECT 1 FROM partner_pass AS other
                        WHERE other.partner_id = ?1 AND other.expires_at_ms > ?2 AND other.probe = 1))
   AND (SELECT count(*) FROM partner_pass AS other
         WHERE other.partner_id = ?1 AND other.expires_at_ms > ?2) < ?4
RETURNING partner_pass_id, (slot_us + 999) / 1000, probe;
