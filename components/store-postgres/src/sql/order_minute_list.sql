-- Reads the minutes in which orders were placed, oldest first; the newest where there are more.
--
-- $1 the moment from which on  $2 limit
SELECT minute_ms, accepted, backordered, rejected
  FROM (SELECT minute_ms,
               CAST(coalesce(sum(orders) FILTER (WHERE outcome = 'accepted'), 0) AS bigint) AS accepted,
               CAST(coalesce(sum(orders) FILTER (WHERE outcome = 'backordered'), 0) AS bigint) AS backordered,
               CAST(coalesce(sum(orders) FILTER (WHERE outcome = 'rejected'), 0) AS bigint) AS rejected
          FROM order_minute
         WHERE minute_ms >= $1::bigint
         GROUP BY minute_ms
         ORDER BY minute_ms DESC
         LIMIT $2::bigint) AS latest
 ORDER BY minute_ms;
