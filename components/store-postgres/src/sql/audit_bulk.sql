-- Finds customers who met the rule for VIPs and of whom nobody was told.
--
-- $1 limit. One row for each violation, in words.
--
-- An order that is bulk by itself decides alone. A total decides where all orders came under the rule `cumulative`: then the last
-- one to be accepted saw it, whichever that was.
SELECT format('customer %s: met the rule for VIPs with %s units and nobody was told', customer_id, units_bought)
  FROM (SELECT customer_id, coalesce(bool_or(vip_rule = 'single-order' AND units >= vip_units), false) AS bulk,
               count(*) = count(vip_rule) AND min(vip_rule) = 'cumulative' AND max(vip_rule) = 'cumulative' AS cumulative,
               max(vip_units) AS units_to_reach
          FROM sales_order WHERE status = 'accepted'
         GROUP BY customer_id) AS accepted
  JOIN buyer USING (customer_id)
 WHERE bulk_orders = 0 AND (bulk OR cumulative AND units_bought >= units_to_reach)
 LIMIT $1::bigint;
