-- Reads how the stock of a product went: the level that a moment found, then samples of the movements since.
--
-- $1 sku  $2 since  $3 samples, 2 or more
--
-- No row: no such product. Oldest first; the last row is the last movement. It takes some thirty seeks to find where to begin and one
-- for each sample, however long the ledger is.
--
-- In ranges of SKUs, where an equation would do: with one, walking all movements looks as good, and it may be long until one fits.
WITH RECURSIVE
  newest (newest) AS (
    SELECT stock_movement_id FROM stock_movement
     WHERE sku BETWEEN $1::text AND $1::text ORDER BY sku DESC, stock_movement_id DESC LIMIT 1),
  -- Halves the ids until `low` is behind every movement from before the moment: times rise with them.
  search (low, high) AS (
    SELECT 0::bigint, newest + 1 FROM newest
     UNION ALL
    SELECT CASE WHEN probe.at_ms < $2::bigint THEN probe.stock_movement_id + 1 ELSE low END,
           CASE WHEN probe.at_ms < $2::bigint THEN high ELSE (low + high) / 2 END
      FROM search CROSS JOIN LATERAL (
             SELECT stock_movement_id, at_ms FROM stock_movement
              WHERE sku <= $1::text AND (sku, stock_movement_id) >= ($1::text, (low + high) / 2)
              ORDER BY sku, stock_movement_id LIMIT 1) AS probe
     WHERE low < high),
  start (low) AS MATERIALIZED (SELECT low FROM search WHERE low >= high),
  -- No more movements than samples: every one of them is shown.
  few (whole) AS (
    SELECT count(*) <= $3::bigint
      FROM start CROSS JOIN LATERAL (
             SELECT 1 FROM stock_movement
              WHERE sku <= $1::text AND (sku, stock_movement_id) >= ($1::text, low)
              ORDER BY sku, stock_movement_id LIMIT $3::bigint + 1) AS moved),
  -- Each step is an even share of what is left of the ids, so where a share is empty the next ones are shorter.
  sample (stock_movement_id, at_ms, on_hand_after, remaining) AS (
    SELECT moved.stock_movement_id, moved.at_ms, moved.on_hand_after, $3::bigint - 1
      FROM start CROSS JOIN LATERAL (
             SELECT stock_movement_id, at_ms, on_hand_after FROM stock_movement
              WHERE sku <= $1::text AND (sku, stock_movement_id) >= ($1::text, low)
              ORDER BY sku, stock_movement_id LIMIT 1) AS moved
     UNION ALL
    SELECT moved.stock_movement_id, moved.at_ms, moved.on_hand_after, remaining - 1
      FROM sample CROSS JOIN newest CROSS JOIN few CROSS JOIN LATERAL (
             SELECT stock_movement_id, at_ms, on_hand_after FROM stock_movement
              WHERE sku <= $1::text
                AND (sku, stock_movement_id) >= (
                      $1::text,
                      sample.stock_movement_id
                      + CASE WHEN whole THEN 1 ELSE (newest - sample.stock_movement_id + remaining - 1) / remaining END)
              ORDER BY sku, stock_movement_id LIMIT 1) AS moved
     WHERE sample.stock_movement_id < newest AND remaining > 0)
SELECT at_ms, on_hand_after
  FROM (SELECT found.stock_movement_id, $2::bigint AS at_ms, found.on_hand_after
          FROM start CROSS JOIN LATERAL (
                 SELECT stock_movement_id, on_hand_after FROM stock_movement
                  WHERE sku >= $1::text AND (sku, stock_movement_id) < ($1::text, low)
                  ORDER BY sku DESC, stock_movement_id DESC LIMIT 1) AS found
         UNION ALL
        SELECT stock_movement_id, at_ms, on_hand_after FROM sample) AS level
 ORDER BY stock_movement_id;
