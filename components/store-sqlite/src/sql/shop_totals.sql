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
               coalesce(sum(on_hand <= backordered), 0) AS depleted,
               coalesce(sum(on_hand > backordered AND on_hand + on_order - backordered <= reorder_point), 0) AS low,
               -- A sum that is no integer of SQLite's would be an error, and no number of this shop is worth one.
               CAST(total(on_hand) AS INTEGER) AS on_hand,
               CAST(total(on_order) AS INTEGER) AS on_order,
               CAST(total(backordered) AS INTEGER) AS backordered
          FROM product) AS stock
 CROSS JOIN (SELECT sum(CASE outcome WHEN 'accepted' THEN orders ELSE 0 END) AS accepted,
                    sum(CASE outcome WHEN 'backordered' THEN orders ELSE 0 END) AS backordered,
                    sum(CASE outcome WHEN 'rejected' THEN orders ELSE 0 END) AS rejected
               FROM (SELECT outcome, orders FROM order_total UNION ALL SELECT outcome, orders FROM order_minute)) AS placed
 CROSS JOIN (SELECT sum(requests) AS received, sum(ms_sum) AS ms_sum,
                    json_group_array(json_array(seconds_max, requests)) AS buckets
               FROM (SELECT seconds_max, sum(requests) AS requests, sum(ms_sum) AS ms_sum
                       FROM lead_time GROUP BY bucket, seconds_max ORDER BY bucket)) AS took;
