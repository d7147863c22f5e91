-- Reads returns of one status, newest first.
--
-- $1 the return before which the page begins, the largest integer for the first  $2 limit  $3 status
--
-- No row: the list ends here. The columns are those of return_get.sql.
--
-- In ranges, where an equation would do: with one, walking the table backwards looks as good, and it may be long until a row fits.
SELECT sales_return_id, order_number, order_item_number, shipment_number, partner_ref, status, goods, heard ->> -1,
       sku, quantity, collected_at_ms, tracked_at_ms, trackings, unknown_since_ms, delivered_at_ms, reported_at_ms,
       settled_at_ms, operator, reason, sales_return_seq
  FROM sales_return
 WHERE (status, sales_return_seq) < ($3::text, $1::bigint) AND status >= $3::text
 ORDER BY status DESC, sales_return_seq DESC
 LIMIT $2::bigint;
