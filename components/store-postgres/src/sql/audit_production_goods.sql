-- Finds requests whose goods were booked not exactly once, or not as many as came.
--
-- $1 limit. One row for each violation, in words.
SELECT format('production %s: %s units came, the ledger received %s in %s movements',
              production_id, sum(came), sum(booked), sum(movements))
  FROM (SELECT production_id, coalesce(received_quantity, 0) AS came, 0 AS booked, 0 AS movements FROM production
        UNION ALL
        SELECT production_id, 0, delta, 1 FROM stock_movement WHERE kind = 'received' AND production_id IS NOT NULL) AS sides
 GROUP BY production_id
HAVING sum(came) <> sum(booked) OR sum(movements) > 1
 LIMIT $1::bigint;
