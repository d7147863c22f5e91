-- Reads products with how fast they sell and how long they last, those that run out next first.
--
-- $1 now  $2 the first SKU  $3 the last SKU  $4 1: also what is available and does not sell  $5 limit
--
-- The columns are those of product_get.sql, then four numbers as texts: units of the last hour, of the last day, units a day at the
-- faster of both, and days until nothing is available, NULL where it does not sell.
WITH paced AS (
  SELECT product.*,
         restock_sliding(pace_hour, pace_hour_units, pace_hour_before, 3600000, $1::bigint) AS last_hour,
         restock_sliding(pace_day, pace_day_units, pace_day_before, 86400000, $1::bigint) AS last_day
    FROM product
   WHERE sku >= $2::text AND sku <= $3::text),
-- One sale is no trend: an hour counts from 5 units on.
covered AS (
  SELECT paced.*, greatest(on_hand - backordered, 0) AS available,
         greatest(CASE WHEN last_hour >= 5 THEN last_hour * 24 ELSE 0 END, last_day) AS units_per_day
    FROM paced),
lasting AS (
  SELECT covered.*,
         CASE WHEN available = 0 THEN 0 WHEN units_per_day > 0 THEN available / units_per_day END AS days
    FROM covered)
SELECT sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to, ad_status,
       ad_manager_email, on_hand, on_order, backordered, depleted_since_ms,
       last_hour::text, last_day::text, units_per_day::text, days::text
  FROM lasting
 WHERE $4::bigint = 1 OR days IS NOT NULL
 ORDER BY available = 0 DESC, CASE WHEN available = 0 THEN coalesce(depleted_since_ms, $1::bigint) END, days NULLS FIRST, sku
 LIMIT $5::bigint;
