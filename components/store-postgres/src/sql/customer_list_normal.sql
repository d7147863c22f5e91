-- Reads the customers who are no VIPs, in the order of their ids.
--
-- $1 the customer_id after which the page begins, '' for the first  $2 limit
--
-- No row: the list ends here. The columns are those of customer_get.sql.
SELECT customer_id, email, name, kind, units_bought, vip_since_ms, announced_at_ms, vip_order_id
  FROM customer
 WHERE kind = 'normal' AND customer_id COLLATE "C" > $1::text
 ORDER BY customer_id COLLATE "C"
 LIMIT $2::bigint;
