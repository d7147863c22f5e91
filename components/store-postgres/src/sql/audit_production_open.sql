-- Finds products with more than one open request.
--
-- $1 limit. One row for each violation, in words.
SELECT format('%s: %s production requests are open', sku, count(*))
  FROM production
 WHERE status IN ('planned', 'requested', 'overdue', 'failed')
 GROUP BY sku
HAVING count(*) > 1
 LIMIT $1::bigint;
