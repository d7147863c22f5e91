-- Reads what the manager of a product's advertisement is to be asked now.
--
-- $1 sku
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
   WHERE sku = $1::text AND ad_starts = (SELECT ad_starts FROM product WHERE sku = $1::text)
   ORDER BY ad_request_seq DESC
   LIMIT 1),
unnoted AS MATERIALIZED (
  SELECT kind.request, named.episode
    FROM product
   CROSS JOIN (SELECT word AS request, word || ':' || $1::text || ':' AS prefix, word || ':' || $1::text || ';' AS past
                 FROM (VALUES ('pause'), ('resume')) AS request (word)) AS kind
    JOIN letter ON letter.letter_id > kind.prefix COLLATE "C" AND letter.letter_id < kind.past COLLATE "C"
   CROSS JOIN LATERAL (
     SELECT CAST(substring(substr(letter.letter_id, length(kind.prefix) + 1) FROM '^[0-9]{1,18}') AS bigint) AS episode) AS named
   WHERE product.sku = $1::text AND letter.state <> 'released'
     -- A SKU may hold colons: letters of another product can begin like those of this one. The post office puts a dot and
     -- whom it goes to behind the errand's id.
     AND starts_with(letter.letter_id || '.', kind.prefix || named.episode || ':' || product.ad_starts || '.')
     AND letter.entrusted_at_ms > coalesce((SELECT asked_at_ms FROM noted), -1)
   ORDER BY letter.entrusted_at_ms DESC
   LIMIT 1),
latest AS MATERIALIZED (
  SELECT request, episode FROM unnoted
  UNION ALL
  SELECT request, episode FROM noted WHERE NOT EXISTS (SELECT 1 FROM unnoted)),
wanted AS MATERIALIZED (
  SELECT 'pause' AS request, CASE WHEN latest.request = 'pause' THEN latest.episode ELSE depleted_since_ms END AS episode,
         9223372036854775807 AS over_at_ms
    FROM product LEFT JOIN latest ON true
   WHERE sku = $1::text AND depleted_since_ms IS NOT NULL
     AND (ad_status = 'running' OR ad_status = 'pause-requested' AND latest.request IS DISTINCT FROM 'pause')
  UNION ALL
  SELECT 'resume', latest.episode, coalesce(replenished_at_ms, 9223372036854775807)
    FROM product CROSS JOIN latest
   WHERE sku = $1::text AND depleted_since_ms IS NULL
     AND (ad_status = 'pause-requested' OR ad_status = 'running' AND latest.request = 'pause')),
-- An order is turned down as a whole: one that another product was short for is not lost for this one.
lost AS MATERIALIZED (
  SELECT count(*) AS orders, CAST(coalesce(sum(quantity), 0) AS bigint) AS units
    FROM wanted JOIN sales_order_line AS line
      ON line.sku = $1::text AND line.state = 'rejected' AND line.at_ms >= episode AND line.at_ms <= over_at_ms
   WHERE EXISTS (SELECT 1 FROM sales_order
                  WHERE sales_order.sequence = line.sequence
                    AND sales_order.short @> jsonb_build_array(jsonb_build_object('sku', $1::text))))
SELECT wanted.request || ':' || product.sku || ':' || wanted.episode || ':' || product.ad_starts, product.sku, product.name,
       wanted.request, ad_manager_email, wanted.episode, lost.orders, lost.units, backordered, on_hand,
       (SELECT due_at_ms FROM production
         WHERE production.sku = product.sku AND status IN ('planned', 'requested', 'overdue', 'failed')
           AND status = 'requested') AS due_at_ms
  FROM wanted JOIN product ON product.sku = $1::text CROSS JOIN lost;
