-- Reads the minutes in which orders were placed, oldest first; the newest where there are more.
--
-- ?1 the moment from which on  ?2 limit
SELECT minute_ms, accepted, backordered, rejected
  FROM (SELECT minute_ms,
               sum(CASE outcome WHEN 'accepted' THEN orders ELSE 0 END) AS accepted,
               sum(CASE outcome WHEN 'backordered' THEN orders ELSE 0 END) AS backordered,
               sum(CASE outcome WHEN 'rejected' THEN orders ELSE 0 END) AS rejected
          FROM order_minute
         WHERE minute_ms >= ?1
         GROUP BY minute_ms
         ORDER BY minute_ms DESC
         LIMIT ?2)
 ORDER BY minute_ms;
