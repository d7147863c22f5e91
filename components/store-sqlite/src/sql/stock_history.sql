-- Reads how the stock of a product went: the level that a moment found, then samples of the movements since.
--
-- ?1 sku  ?2 since  ?3 samples, 2 or more
--
-- No row: no such product. Oldest first; the last row is the last movement. It takes some thirty seeks to find where to begin and one
-- for each sample, however long the ledger is.
WITH RECURSIVE
  newest (newest) AS (
    SELECT stock_movement_id FROM stock_movement WHERE sku = ?1 ORDER BY stock_movement_id DESC LIMIT 1),
  -- Halves the ids until `low` is behind every movement from before the moment: times rise with them.
  search (low, high) AS (
    SELECT 0, newest + 1 FROM newest
     UNION ALL
    SELECT iif(probe.at_ms < ?2, probe.stock_movement_id + 1, low), iif(probe.at_ms < ?2, high, (low + high) / 2)
      FROM search CROSS JOIN stock_movement AS probe
        ON probe.stock_movement_id = (SELECT stock_movement_id FROM stock_movement
                                       WHERE sku = ?1 AND stock_movement_id >= (low + high) / 2
                                       ORDER BY stock_movement_id LIMIT 1)
     WHERE low < high),
  start (low) AS (SELECT low FROM search WHERE low >= high),
  -- No more movements than samples: every one of them is shown.
  few (whole) AS (
    SELECT count(*) <= ?3
      FROM (SELECT 1 FROM start CROSS JOIN stock_movement ON sku = ?1 AND stock_movement_id >= low LIMIT ?3 + 1)),
  -- Each step is an even share of what is left of the ids, so where a share is empty the next ones are shorter.
  sample (stock_movement_id, remaining) AS (
    SELECT (SELECT stock_movement_id FROM stock_movement
             WHERE sku = ?1 AND stock_movement_id >= low ORDER BY stock_movement_id LIMIT 1), ?3 - 1
      FROM start
     UNION ALL
    SELECT (SELECT stock_movement_id FROM stock_movement
             WHERE sku = ?1
               AND stock_movement_id >= sample.stock_movement_id
                                        + iif(whole, 1, (newest - sample.stock_movement_id + remaining - 1) / remaining)
             ORDER BY stock_movement_id LIMIT 1), remaining - 1
      FROM sample CROSS JOIN newest CROSS JOIN few
     WHERE sample.stock_movement_id < newest AND remaining > 0)
SELECT at_ms, on_hand_after
  FROM (SELECT stock_movement_id, ?2 AS at_ms, on_hand_after
          FROM stock_movement
         WHERE stock_movement_id = (SELECT stock_movement_id FROM stock_movement
                                     WHERE sku = ?1 AND stock_movement_id < (SELECT low FROM start)
                                     ORDER BY stock_movement_id DESC LIMIT 1)
         UNION ALL
        SELECT moved.stock_movement_id, moved.at_ms, moved.on_hand_after
          FROM sample CROSS JOIN stock_movement AS moved ON moved.stock_movement_id = sample.stock_movement_id)
 ORDER BY stock_movement_id;
