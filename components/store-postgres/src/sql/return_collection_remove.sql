-- Removes old collections, the one aside that finished last: the next one counts from there.
--
-- $1 the moment at or before which a collection is old  $2 limit
--
-- One row for each.
DELETE FROM return_collection
 WHERE return_collection_seq = ANY (ARRAY(
   SELECT old.return_collection_seq
     FROM return_collection AS old
    WHERE old.began_at_ms <= $1::bigint AND old.progress <> 'running'
      AND coalesce(old.finished_at_ms, old.began_at_ms) <= $1::bigint
      AND old.return_collection_seq IS DISTINCT FROM (SELECT newest.return_collection_seq
                                                        FROM return_collection AS newest
                                                       WHERE newest.finished_at_ms IS NOT NULL
                                                       ORDER BY newest.finished_at_ms DESC, newest.return_collection_seq DESC
                                                       LIMIT 1)
    ORDER BY old.began_at_ms
    LIMIT $2::bigint
      FOR UPDATE OF old SKIP LOCKED))
RETURNING 1::bigint;
