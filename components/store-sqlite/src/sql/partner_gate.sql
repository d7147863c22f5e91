-- Reads the state of a partner's gate.
--
-- ?1 partner_id  ?2 now  ?3 how far away a slot can be at all, ms
--
-- No row: no such partner.
SELECT circuit <> 'closed', probe_at_ms, CASE WHEN next_slot_us <= (?2 + ?3) * 1000 THEN next_slot_us ELSE 0 END,
       (SELECT count(*) FROM partner_pass AS pass
         WHERE pass.partner_id = partner.partner_id AND pass.expires_at_ms > ?2),
       (SELECT min(pass.expires_at_ms) FROM partner_pass AS pass
         WHERE pass.partner_id = partner.partner_id AND pass.expires_at_ms > ?2),
       (SELECT min(pass.expires_at_ms) FROM partner_pass AS pass
         WHERE pass.partner_id = partner.partner_id AND pass.expires_at_ms > ?2 AND pass.probe = 1)
  FROM partner
 WHERE partner_id = ?1;
