-- Marks requests whose goods did not come in time; the trigger has them asked for again.
--
-- $1 now  $2 limit
--
-- One row for each.
SELECT production_id FROM restock_production_mark_overdue($1::bigint, $2::bigint) AS production_id;
