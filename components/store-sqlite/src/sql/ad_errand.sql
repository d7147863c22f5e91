-- Reads what the manager of a product's advertisement is to be asked now.
--
-- ?1 sku
--
-- No row: nothing; or no such product, or it is not advertised.
--
-- `ad_status` says what was asked, as far as it was noted. A host that dies after a letter went out leaves the letter only, so a
-- letter that a provider may have sent counts too, until something later is noted: a manager who may have been asked to pause is
-- asked to resume, and one who may have been asked to resume is asked to pause. For identifiers see ad_request; that of a letter
-- is the errand's, a dot, and whom it goes to.
WITH noted AS MATERIALIZED (
  SELECT asked_at_ms FROM ad_request WHERE sku = ?1 ORDER BY ad_request_seq DESC LIMIT 1),
pause AS MATERIALIZED (
  SELECT depleted_since_ms AS episode, ad_starts AS starts
    FROM ad_request
   WHERE sku = ?1 AND request = 'pause'
   ORDER BY ad_request_seq DESC
   LIMIT 1),
wanted AS MATERIALIZED (
  SELECT 'pause' AS request, depleted_since_ms AS episode, ad_starts AS starts
    FROM product
   WHERE sku = ?1 AND depleted_since_ms IS NOT NULL
     AND (ad_status = 'running'
          OR ad_status = 'pause-requested'
         AND EXISTS (SELECT 1 FROM pause JOIN letter
                         ON letter_id >= printf('resume:%s:%d:%d.', ?1, episode, starts)
                        AND letter_id < printf('resume:%s:%d:%d/', ?1, episode, starts)
                      WHERE state <> 'released'))
  UNION ALL
  SELECT 'resume', episode, starts
    FROM product JOIN pause
   WHERE sku = ?1 AND depleted_since_ms IS NULL AND ad_status = 'pause-requested'
  UNION ALL
  SELECT 'resume', CAST(substr(letter_id, length(?1) + 8) AS INTEGER) AS episode, ad_starts
    FROM product JOIN letter ON letter_id > 'pause:' || ?1 || ':' AND letter_id < 'pause:' || ?1 || ';'
   WHERE sku = ?1 AND depleted_since_ms IS NULL AND ad_status = 'running' AND state <> 'released'
     -- A SKU may hold colons: the letter of another product begins like those of this one.
     AND instr(letter_id, printf('pause:%s:%d:%d.', ?1, CAST(substr(letter_id, length(?1) + 8) AS INTEGER), ad_starts)) = 1
     AND entrusted_at_ms > coalesce((SELECT asked_at_ms FROM noted), -1))
SELECT printf('%s:%s:%d:%d', request, sku, episode, starts), sku, name, request, ad_manager_email, episode,
       (SELECT count(*) FROM sales_order_line AS lost
         WHERE lost.sku = product.sku AND lost.state = 'rejected' AND lost.at_ms >= episode),
       (SELECT coalesce(sum(quantity), 0) FROM sales_order_line AS lost
         WHERE lost.sku = product.sku AND lost.state = 'rejected' AND lost.at_ms >= episode),
       backordered, on_hand,
       (SELECT due_at_ms FROM production
         WHERE production.sku = product.sku AND status IN ('planned', 'requested', 'overdue', 'failed')
           AND status = 'requested')
  FROM wanted JOIN product ON product.sku = ?1
 ORDER BY episode DESC
 LIMIT 1;
