-- Reads the production requests of a product, newest first: their ids are made in the order of time.
--
-- $1 the id before which the page begins, '~' for the first  $2 limit  $3 sku
--
-- No row: the list ends here. The columns are those of production_get.sql.
--
-- In ranges, where an equation would do: with one, walking the table backwards looks as good, and it may be long until a row fits.
SELECT production_id, sku, factory_id, quantity, status, attempts, planned_at_ms, requested_at_ms, due_at_ms, received_at_ms,
       received_quantity, factory_job_id, follows, because_on_hand, because_on_order, because_backordered,
       because_reorder_point, because_order_up_to, traceparent
  FROM production
 WHERE (sku, production_id) < ($3::text, $1::text) AND sku >= $3::text
 ORDER BY sku DESC, production_id DESC
 LIMIT $2::bigint;
