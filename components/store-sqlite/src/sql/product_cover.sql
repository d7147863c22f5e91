-- Reads products with how fast they sell and how long they last, those that run out next first.
--
-- ?1 now  ?2 the first SKU  ?3 the last SKU  ?4 1: also what is available and does not sell  ?5 limit
--
-- The columns are those of product_get.sql, then four numbers as texts: units of the last hour, of the last day, units a day at the
-- faster of both, and days until nothing is available, NULL where it does not sell.
--
-- How much there was within a window that slides: what the hour (or day) of the calendar has, and of the one before it the share that
-- the window still covers, as if that had been spread evenly. Where a clock was put back into the hour before, both count as a
-- whole. An hour that is further in the future, from a clock that was ahead, counts for nothing.
WITH paced AS (
  SELECT product.*,
         CASE ?1 / 3600000 - pace_hour
           WHEN 0 THEN pace_hour_units + pace_hour_before * (1 - (?1 % 3600000) / 3600000.0)
           WHEN 1 THEN pace_hour_units * (1 - (?1 % 3600000) / 3600000.0)
           WHEN -1 THEN pace_hour_units + pace_hour_before
           ELSE 0 END + 0.0 AS last_hour,
         CASE ?1 / 86400000 - pace_day
           WHEN 0 THEN pace_day_units + pace_day_before * (1 - (?1 % 86400000) / 86400000.0)
           WHEN 1 THEN pace_day_units * (1 - (?1 % 86400000) / 86400000.0)
           WHEN -1 THEN pace_day_units + pace_day_before
           ELSE 0 END + 0.0 AS last_day
    FROM product
   WHERE sku >= ?2 AND sku <= ?3),
-- One sale is no trend: an hour counts from 5 units on.
covered AS (
  SELECT paced.*, max(on_hand - backordered, 0) AS available,
         max(CASE WHEN last_hour >= 5 THEN last_hour * 24 ELSE 0.0 END, last_day) AS units_per_day
    FROM paced),
lasting AS (
  SELECT covered.*,
         CASE WHEN available = 0 THEN 0.0 WHEN units_per_day > 0 THEN available / units_per_day END AS days
    FROM covered)
SELECT sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to, ad_status,
       ad_manager_email, on_hand, on_order, backordered, depleted_since_ms,
       CAST(last_hour AS TEXT), CAST(last_day AS TEXT), CAST(units_per_day AS TEXT), CAST(days AS TEXT)
  FROM lasting
 WHERE ?4 = 1 OR days IS NOT NULL
 ORDER BY available = 0 DESC, CASE WHEN available = 0 THEN coalesce(depleted_since_ms, ?1) END, days, sku
 LIMIT ?5;
