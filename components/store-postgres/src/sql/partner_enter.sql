-- Takes a pass for one call, if the partner's gate lets one through.
--
-- $1 partner_id  $2 now  $3 spacing of calls, us  $4 calls at a time  $5 hold, ms  $6 how far away a slot may be, ms
-- $7 the same of one that can be true at all
--
-- No row: no such partner. pass_id of NULL: the gate is shut, and the columns from the fourth on say why:
-- failing, probe_at_ms, next_slot_us, calls that run, when the first of them expires, when the probe does.
SELECT pass_id, start_at_ms, probe, failing, probe_at_ms, next_slot_us, in_use, first_expiry_ms, probe_expiry_ms
  FROM restock_partner_enter($1::text, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint);
