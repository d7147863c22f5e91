-- Clears incidents that are over: quiet for a while, and none of their cases is wrong any more.
--
-- $1 now  $2 the moment at or before which they last grew  $3 that of what comes and goes  $4 limit
--
-- One row: how many notices became due. What an audit found is cleared by the next one. A message that became a dead letter of
-- another kind is wrong for the incident of that kind only, and nobody waits any more for what an operator gave up.
SELECT restock_incident_clear($1::bigint, $2::bigint, $3::bigint, $4::bigint);
