-- Removes old requests, those of advertisements that are still to be resumed aside: the resumption is that of its pause.
--
-- $1 the moment at or before which a request is old  $2 limit
DELETE FROM ad_request
 WHERE ad_request_seq = ANY (ARRAY(SELECT old.ad_request_seq
                                     FROM ad_request AS old JOIN product ON product.sku = old.sku
                                    WHERE old.asked_at_ms <= $1::bigint AND product.ad_status <> 'pause-requested'
                                    ORDER BY old.asked_at_ms
                                    LIMIT $2::bigint
                                      FOR UPDATE OF old SKIP LOCKED));
