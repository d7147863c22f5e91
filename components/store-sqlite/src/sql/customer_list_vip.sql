-- Reads VIPs, newest first.
--
-- ?1 vip_since_ms  ?2 customer_id: the page begins before these; the largest integer and any text for the first
-- ?3 limit
--
-- No row: the list ends here. The columns are those of customer_get.sql.
SELECT customer_id, email, name, kind, units_bought, vip_since_ms, announced_at_ms, vip_order_id
  FROM customer
 WHERE kind = 'vip' AND (vip_since_ms, customer_id) < (?1, ?2)
 ORDER BY vip_since_ms DESC, customer_id DESC
 LIMIT ?3;
