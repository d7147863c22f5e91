-- Makes a notice due for each channel of each incident that grew since the last one.
--
-- $1 now  $2 the moment at or before which the last notice was told  $3 limit
--
-- One row: how many notices. A notice that was given up (its message is a dead letter) counts as told when it became due; one
-- that is still on its way holds up the next.
SELECT restock_incident_remind($1::bigint, $2::bigint, $3::bigint);
