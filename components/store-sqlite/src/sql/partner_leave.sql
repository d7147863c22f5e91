-- Gives a pass back with how the call went. The trigger moves the circuit and removes the pass.
--
-- ?1 partner_pass_id  ?2 health  ?3 now  ?4 until when the partner wants to be left alone, or NULL
--
-- Changes nothing where the pass expired or was given back before.
UPDATE partner_pass
   SET health = ?2, left_at_ms = ?3, busy_until_ms = ?4
 WHERE partner_pass_id = ?1 AND health IS NULL AND expires_at_ms > ?3;
