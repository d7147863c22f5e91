-- Numbers for people who watch. The traces of this version are in 0012_insight_traces.sql, applied with it.
--
-- Safe beside older code: new tables, columns that may be null or have a default, and triggers that older code does not know it
-- fires. Functions are replaced by ones that do the same and note more. The pair of migrations/sqlite/0012_insight.sql.
--
-- No number is found by counting rows when somebody asks: the write that makes a row tallies it, in a row that it changes anyway
-- where there is one. Nothing is tallied twice, because each tally hangs on a step that is made once.
--
-- A row that every order or every delivery changes would make them wait for each other until each has reached the disk. So there
-- are 32 such rows side by side, and a connection to the server always takes the same one (`stripe`). An order takes its row behind
-- its products, a delivery behind its request; either takes only one. Who folds minutes into totals takes those, by outcome, last.

-- Orders by minute and first answer. What retention removes is added to `order_total` by the same write, so that both together are
-- all orders ever.
CREATE TABLE IF NOT EXISTS order_minute (
  minute_ms bigint NOT NULL,               -- when it begins
  stripe    bigint NOT NULL,
  outcome   text COLLATE "C" NOT NULL,     -- placed_as
  orders    bigint NOT NULL,
  PRIMARY KEY (minute_ms, stripe, outcome)
) WITH (fillfactor = 20);

CREATE TABLE IF NOT EXISTS order_total (
  outcome text COLLATE "C" PRIMARY KEY,
  orders  bigint NOT NULL
) WITH (fillfactor = 20);

-- The column of 0012_insight_traces.sql. From here on no order comes in until all of this is done, so none is missed below and none
-- counts twice.
ALTER TABLE sales_order ADD COLUMN IF NOT EXISTS traceparent text;

-- Orders from before there were tallies, once: it reads all of them.
INSERT INTO order_total (outcome, orders)
SELECT outcome, (SELECT count(*) FROM sales_order WHERE placed_as = outcome)
  FROM unnest(ARRAY['accepted', 'backordered', 'rejected']) AS outcome
 WHERE NOT EXISTS (SELECT 1 FROM order_total);

CREATE OR REPLACE FUNCTION order_is_tallied() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  INSERT INTO order_minute (minute_ms, stripe, outcome, orders)
  VALUES (NEW.placed_at_ms - NEW.placed_at_ms % 60000, pg_backend_pid() % 32, NEW.placed_as, 1)
  ON CONFLICT (minute_ms, stripe, outcome) DO UPDATE SET orders = order_minute.orders + 1;
  RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER order_is_tallied AFTER INSERT ON sales_order
FOR EACH ROW EXECUTE FUNCTION order_is_tallied();

CREATE OR REPLACE FUNCTION removed_minutes_are_in_the_total() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  PERFORM 1 FROM order_total WHERE outcome IN (SELECT removed.outcome FROM removed) ORDER BY outcome FOR NO KEY UPDATE;
  UPDATE order_total SET orders = order_total.orders + folded.orders
    FROM (SELECT outcome, sum(orders) AS orders FROM removed GROUP BY outcome) AS folded
   WHERE order_total.outcome = folded.outcome;
  RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER removed_minutes_are_in_the_total AFTER DELETE ON order_minute
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION removed_minutes_are_in_the_total();

-- How long requests took, from the plan to the goods. The rows of stripe 0 name the bounds.
CREATE TABLE IF NOT EXISTS lead_time (
  bucket      bigint NOT NULL,             -- shortest first
  stripe      bigint NOT NULL,
  seconds_max bigint,                      -- included; NULL: above the last bound
  requests    bigint NOT NULL,
  ms_sum      bigint NOT NULL,
  PRIMARY KEY (bucket, stripe)
) WITH (fillfactor = 20);

INSERT INTO lead_time (bucket, stripe, seconds_max, requests, ms_sum)
SELECT bucket, 0, seconds_max, 0, 0
  FROM unnest(ARRAY[10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 345600, 604800, NULL])
         WITH ORDINALITY AS bound (seconds_max, bucket)
ON CONFLICT DO NOTHING;

-- Also of production, nobody changes a row until all of this is done.
ALTER TABLE production ADD COLUMN IF NOT EXISTS traceparent text;

UPDATE lead_time SET requests = earlier.requests, ms_sum = earlier.ms_sum
  FROM (SELECT fits.bucket, count(*) AS requests, sum(received.took_ms) AS ms_sum
          FROM (SELECT greatest(0, received_at_ms - planned_at_ms) AS took_ms FROM production WHERE status = 'received') AS received
         CROSS JOIN LATERAL (SELECT bound.bucket FROM lead_time AS bound
                              WHERE bound.stripe = 0
                                AND (bound.seconds_max IS NULL OR received.took_ms <= bound.seconds_max * 1000)
                              ORDER BY bound.bucket LIMIT 1) AS fits
         GROUP BY fits.bucket) AS earlier
 WHERE lead_time.bucket = earlier.bucket AND lead_time.stripe = 0
   AND NOT EXISTS (SELECT 1 FROM lead_time WHERE requests > 0);

CREATE OR REPLACE FUNCTION received_request_had_a_lead_time() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_took_ms bigint := greatest(0, NEW.received_at_ms - NEW.planned_at_ms);
BEGIN
  INSERT INTO lead_time (bucket, stripe, seconds_max, requests, ms_sum)
  SELECT bucket, pg_backend_pid() % 32, seconds_max, 1, v_took_ms
    FROM lead_time
   WHERE stripe = 0 AND (seconds_max IS NULL OR v_took_ms <= seconds_max * 1000)
   ORDER BY bucket
   LIMIT 1
  ON CONFLICT (bucket, stripe) DO UPDATE
     SET requests = lead_time.requests + 1, ms_sum = lead_time.ms_sum + excluded.ms_sum;
  RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER received_request_had_a_lead_time AFTER UPDATE OF status ON production
FOR EACH ROW WHEN (OLD.status <> 'received' AND NEW.status = 'received')
EXECUTE FUNCTION received_request_had_a_lead_time();

-- The pace of a product: units that were sold or went on to waiting orders within one hour and one day of the calendar, and within
-- the ones before. From two such neighbours a window that slides is estimated (restock_sliding). Hours and days are numbered from
-- 1970. Who moves the stock keeps them: 0012_insight_traces.sql.
ALTER TABLE product
  ADD COLUMN IF NOT EXISTS pace_hour bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS pace_hour_units bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS pace_hour_before bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS pace_day bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS pace_day_units bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS pace_day_before bigint NOT NULL DEFAULT 0;

-- How much there was within the last period: what the period of the calendar has, and of the one before it the share that the
-- window still covers, as if that had been spread evenly.
--
-- Where a clock was put back into the period before, both count as a whole. A period that is further in the future, from a clock
-- that was ahead, counts for nothing.
CREATE OR REPLACE FUNCTION restock_sliding(p_period bigint, p_units bigint, p_before bigint, p_period_ms bigint, p_now bigint)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE p_now / p_period_ms - p_period
    WHEN 0 THEN p_units + p_before * (1 - CAST(p_now % p_period_ms AS double precision) / p_period_ms)
    WHEN 1 THEN p_units * (1 - CAST(p_now % p_period_ms AS double precision) / p_period_ms)
    WHEN -1 THEN p_units + p_before
    ELSE 0 END
$$;

-- How attempts ended, queue by queue, and how many messages were done within one minute and the one before.
ALTER TABLE queue
  ADD COLUMN IF NOT EXISTS retried_total bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS postponed_total bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS buried_total bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS expired_total bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS done_minute bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS done_minute_messages bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS done_minute_before bigint NOT NULL DEFAULT 0;

-- Counts attempts that ended, given one by one with their queues and outcomes, once for each queue. Last of what a transaction
-- does, because the rows of the queues are everybody's.
--
-- A clock that was put back into the minute before counts for that one; one that is further away begins anew.
CREATE OR REPLACE FUNCTION restock_count_attempts(p_queues text[], p_outcomes text[], p_now bigint) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  PERFORM 1 FROM queue WHERE queue_id = ANY (p_queues) ORDER BY queue_id FOR NO KEY UPDATE;
  UPDATE queue
     SET done_total = done_total + ended.done,
         retried_total = retried_total + ended.retried,
         postponed_total = postponed_total + ended.postponed,
         buried_total = buried_total + ended.buried,
         expired_total = expired_total + ended.expired,
         done_minute = CASE WHEN ended.done = 0 OR ended.minute - done_minute = -1 THEN done_minute ELSE ended.minute END,
         done_minute_messages = CASE
           WHEN ended.done = 0 OR ended.minute - done_minute = -1 THEN done_minute_messages
           WHEN ended.minute = done_minute THEN done_minute_messages + ended.done
           ELSE ended.done END,
         done_minute_before = CASE
           WHEN ended.done = 0 OR ended.minute = done_minute THEN done_minute_before
           WHEN ended.minute - done_minute = 1 THEN done_minute_messages
           WHEN ended.minute - done_minute = -1 THEN done_minute_before + ended.done
           ELSE 0 END
    FROM (SELECT queue_id, p_now / 60000 AS minute,
                 count(*) FILTER (WHERE outcome = 'done') AS done,
                 count(*) FILTER (WHERE outcome = 'retry') AS retried,
                 count(*) FILTER (WHERE outcome = 'postpone') AS postponed,
                 count(*) FILTER (WHERE outcome = 'bury') AS buried,
                 count(*) FILTER (WHERE outcome = 'lease-expired') AS expired
            FROM unnest(p_queues, p_outcomes) AS attempt (queue_id, outcome)
           GROUP BY queue_id) AS ended
   WHERE queue.queue_id = ended.queue_id;
END
$$;

-- As before, and each attempt is counted.
CREATE OR REPLACE FUNCTION restock_message_settle(IN p_words jsonb, IN p_now bigint)
RETURNS SETOF text LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  settled text[];
  queues text[];
  outcomes text[];
BEGIN
  IF p_words @? '$[*] ? (@.verdict == "bury")' THEN
    PERFORM restock_lock_products(ARRAY(
      SELECT message.subject
        FROM jsonb_to_recordset(p_words) AS word (message_id text, verdict text)
        JOIN message ON message.message_id = word.message_id AND message.queue_id = 'replenishment'
       WHERE word.verdict = 'bury'));
  END IF;
  WITH word AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(p_words)
      AS word (message_id text, receipt text, verdict text, until bigint, reason text, error text)),
  held AS MATERIALIZED (
    SELECT message.message_seq, word.verdict, word.until, word.reason, word.error
      FROM word JOIN message ON message.message_id = word.message_id
     WHERE message.state = 'leased' AND message.receipt = word.receipt
     ORDER BY message.message_seq
       FOR NO KEY UPDATE OF message),
  ended AS (
    UPDATE message
       SET state = CASE held.verdict WHEN 'done' THEN 'done' WHEN 'bury' THEN 'buried' ELSE 'ready' END,
           attempts = attempts - CASE WHEN held.verdict = 'postpone' THEN 1 ELSE 0 END,
           available_at_ms = coalesce(held.until, available_at_ms),
           outcome = held.verdict,
           reason = held.reason,
           error = held.error,
           settled_at_ms = p_now,
           receipt = NULL,
           leased_at_ms = NULL,
           lease_until_ms = NULL
      FROM held
     WHERE message.message_seq = held.message_seq
    RETURNING message.message_id, message.queue_id, message.outcome)
  SELECT array_agg(message_id), array_agg(queue_id), array_agg(outcome) INTO settled, queues, outcomes FROM ended;
  IF settled IS NOT NULL THEN
    PERFORM restock_count_attempts(queues, outcomes, p_now);
  END IF;
  RETURN QUERY SELECT unnest(settled);
END
$$;

-- As before, and each attempt is counted.
CREATE OR REPLACE FUNCTION restock_message_expire_lease(IN p_now bigint, IN p_attempts_max bigint, IN p_limit bigint)
RETURNS SETOF text LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  late bigint[];
  states text[];
  queues text[];
  outcomes text[];
BEGIN
  late := ARRAY(
    SELECT message.message_seq
      FROM queue CROSS JOIN LATERAL (
        SELECT message_seq FROM message
         WHERE message.queue_id = queue.queue_id AND state = 'leased' AND lease_until_ms <= p_now
         ORDER BY lease_until_ms LIMIT p_limit) AS message
     LIMIT p_limit);
  IF late = '{}' THEN
    RETURN;
  END IF;
  PERFORM restock_lock_products(ARRAY(
    SELECT subject FROM message
     WHERE message_seq = ANY (late) AND message.queue_id = 'replenishment'
       AND attempts >= coalesce((SELECT attempts_max FROM queue WHERE queue.queue_id = message.queue_id), p_attempts_max)));
  WITH held AS MATERIALIZED (
    SELECT message_seq FROM message
     WHERE message_seq = ANY (late) AND state = 'leased' AND lease_until_ms <= p_now
     ORDER BY message_seq
       FOR NO KEY UPDATE SKIP LOCKED),
  ended AS (
    UPDATE message
       SET state = CASE WHEN attempts >= coalesce(queue.attempts_max, p_attempts_max) THEN 'buried' ELSE 'ready' END,
           available_at_ms = p_now,
           outcome = 'lease-expired',
           reason = CASE WHEN attempts >= coalesce(queue.attempts_max, p_attempts_max)
                         THEN 'attempts-exhausted' ELSE 'lease-expired' END,
           error = 'the worker did not report back before its lease ran out',
           settled_at_ms = p_now,
           receipt = NULL,
           leased_at_ms = NULL,
           lease_until_ms = NULL
      FROM queue
     WHERE message.message_seq = ANY (ARRAY(SELECT held.message_seq FROM held)) AND queue.queue_id = message.queue_id
    RETURNING message.state, message.queue_id, message.outcome)
  SELECT array_agg(state), array_agg(queue_id), array_agg(outcome) INTO states, queues, outcomes FROM ended;
  IF states IS NOT NULL THEN
    PERFORM restock_count_attempts(queues, outcomes, p_now);
  END IF;
  RETURN QUERY SELECT unnest(states);
END
$$;
