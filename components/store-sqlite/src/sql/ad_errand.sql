-- Reads what the manager of a product's advertisement is to be asked now.
--
-- ?1 sku
--
-- No row: nothing; or no such product, or it is not advertised.
--
-- What a manager was asked last is what was noted last, or the letter of an errand that went out since: a host that dies between
-- a letter and its note leaves the letter only. One that a provider may have sent counts, so a manager who may have been
-- asked to pause is asked to resume, and the other way round. Where the letter is all there is and it still says what is
-- wanted, its errand is given out once more, to be noted. A late note about an advertisement that was stopped and started since
-- says nothing about the one that runs now. What is turned down once there were goods again was not lost to the episode. For
-- identifiers see ad_request.
WITH noted AS MATERIALIZED (
  SELECT request, depleted_since_ms AS episode, asked_at_ms
    FROM ad_request
   WHERE sku = ?1 AND ad_starts = (SELECT ad_starts FROM product WHERE sku = ?1)
   ORDER BY ad_request_seq DESC
   LIMIT 1),
unnoted AS MATERIALIZED (
  SELECT request, CAST(substr(letter_id, length(prefix) + 1) AS INTEGER) AS episode
    FROM product
    JOIN (SELECT column1 AS request, column1 || ':' || ?1 || ':' AS prefix, column1 || ':' || ?1 || ';' AS past
            FROM (VALUES ('pause'), ('resume'))) AS kind
   CROSS JOIN letter ON letter_id > prefix AND letter_id < past
   WHERE product.sku = ?1 AND letter.state <> 'released'
     -- A SKU may hold colons: letters of another product can begin like those of this one. The post office puts a dot and
     -- whom it goes to behind the errand's id.
     AND instr(letter_id || '.',
               printf('%s%d:%d.', prefix, CAST(substr(letter_id, length(prefix) + 1) AS INTEGER), ad_starts)) = 1
     AND entrusted_at_ms > coalesce((SELECT asked_at_ms FROM noted), -1)
   ORDER BY entrusted_at_ms DESC
   LIMIT 1),
latest AS MATERIALIZED (
  SELECT request, episode FROM unnoted
  UNION ALL
  SELECT request, episode FROM noted WHERE NOT EXISTS (SELECT 1 FROM unnoted)),
wanted AS MATERIALIZED (
  SELECT 'pause' AS request, iif(latest.request = 'pause', latest.episode, depleted_since_ms) AS episode,
         9223372036854775807 AS over_at_ms
    FROM product LEFT JOIN latest
   WHERE sku = ?1 AND depleted_since_ms IS NOT NULL
     AND (ad_status = 'running' OR ad_status = 'pause-requested' AND latest.request IS NOT 'pause')
  UNION ALL
  SELECT 'resume', latest.episode, coalesce(replenished_at_ms, 9223372036854775807)
    FROM product JOIN latest
   WHERE sku = ?1 AND depleted_since_ms IS NULL
     AND (ad_status = 'pause-requested' OR ad_status = 'running' AND latest.request = 'pause')),
-- An order is turned down as a whole: one that another product was short for is not lost for this one.
lost AS MATERIALIZED (
  SELECT count(*) AS orders, coalesce(sum(quantity), 0) AS units
    FROM wanted CROSS JOIN sales_order_line AS line
      ON line.sku = ?1 AND line.state = 'rejected' AND line.at_ms >= episode AND line.at_ms <= over_at_ms
   WHERE EXISTS (SELECT 1 FROM sales_order, json_each(short)
                  WHERE sales_order.sequence = line.sequence AND value ->> 'sku' = ?1))
SELECT printf('%s:%s:%d:%d', request, sku, episode, ad_starts), sku, name, request, ad_manager_email, episode,
       lost.orders, lost.units, backordered, on_hand,
       (SELECT due_at_ms FROM production
         WHERE production.sku = product.sku AND status IN ('planned', 'requested', 'overdue', 'failed')
           AND status = 'requested')
  FROM wanted JOIN product ON product.sku = ?1 JOIN lost;
