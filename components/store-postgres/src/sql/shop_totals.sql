-- Reads the shop in numbers, at one moment.
--
-- One row. Nothing here grows with orders or messages: tallies, a row for each product, what is open, and indexes of the few
-- that wait or were cancelled. The lead times are JSON [[seconds_max, requests]], the bound NULL for what is above the last one.
SELECT stock.products, stock.depleted, stock.low, stock.on_hand, stock.on_order, stock.backordered,
       placed.accepted, placed.backordered, placed.rejected,
       (SELECT count(*) FROM sales_order WHERE status = 'backordered') AS waiting,
       (SELECT count(*) FROM production WHERE status = 'planned') AS planned,
       (SELECT count(*) FROM production WHERE status = 'requested') AS requested,
       (SELECT count(*) FROM production WHERE status = 'overdue') AS overdue,
       (SELECT count(*) FROM production WHERE status = 'failed') AS failed,
       took.received,
       (SELECT count(*) FROM production WHERE status = 'cancelled') AS cancelled,
       took.buckets, took.ms_sum,
       (SELECT count(*) FROM incident WHERE cleared_at_ms IS NULL) AS incidents_open,
       (SELECT taken_at_ms FROM turn WHERE job = 'tick') AS ticked_at_ms
  FROM (SELECT count(*) AS products,
               count(*) FILTER (WHERE on_hand <= backordered) AS depleted,
               count(*) FILTER (WHERE on_hand > backordered AND on_hand + on_order - backordered <= reorder_point) AS low,
               -- A sum that is no bigint would be an error, and no number of this shop is worth one.
               CAST(least(coalesce(sum(on_hand), 0), 9223372036854775807) AS bigint) AS on_hand,
               CAST(least(coalesce(sum(on_order), 0), 9223372036854775807) AS bigint) AS on_order,
               CAST(least(coalesce(sum(backordered), 0), 9223372036854775807) AS bigint) AS backordered
          FROM product) AS stock
 CROSS JOIN (SELECT CAST(coalesce(sum(orders) FILTER (WHERE outcome = 'accepted'), 0) AS bigint) AS accepted,
                    CAST(coalesce(sum(orders) FILTER (WHERE outcome = 'backordered'), 0) AS bigint) AS backordered,
                    CAST(coalesce(sum(orders) FILTER (WHERE outcome = 'rejected'), 0) AS bigint) AS rejected
               FROM (SELECT outcome, orders FROM order_total
                     UNION ALL SELECT outcome, orders FROM order_minute) AS tally) AS placed
 CROSS JOIN (SELECT CAST(sum(requests) AS bigint) AS received, CAST(sum(ms_sum) AS bigint) AS ms_sum,
                    json_agg(json_build_array(seconds_max, requests) ORDER BY bucket)::text AS buckets
               FROM (SELECT bucket, seconds_max, sum(requests) AS requests, sum(ms_sum) AS ms_sum
                       FROM lead_time GROUP BY bucket, seconds_max) AS bucketed) AS took;
