-- The second half of 0011_returns.sql, applied with it: what callers do to returns. Each is one call.
--
-- Safe beside older code: functions that it does not know.

-- Begins a collection where one is due; no row where none is. Those who begin take turns, so that each sees what the one before
-- it did.
CREATE OR REPLACE FUNCTION restock_return_collection_begin(p_every_ms bigint, p_now bigint)
RETURNS SETOF text LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1920168043, 3);
  RETURN QUERY
    INSERT INTO return_collection (began_at_ms)
    SELECT p_now
     WHERE NOT EXISTS (SELECT 1 FROM return_collection WHERE progress = 'running')
       AND NOT EXISTS (SELECT 1 FROM return_collection WHERE began_at_ms > p_now - p_every_ms AND began_at_ms <= p_now)
    ON CONFLICT (progress) WHERE progress = 'running' DO NOTHING
    RETURNING return_collection_id;
END
$$;

-- Takes a part of the list, in its order; says how many returns are new. What is twice in one part is settled as if it had come
-- in two.
CREATE OR REPLACE FUNCTION restock_return_collected(p_collection_id text, p_parcels jsonb, p_now bigint)
RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_fresh bigint;
  v_other record;
BEGIN
  PERFORM restock_lock_returns();
  INSERT INTO sales_return (order_number, order_item_number, shipment_number, partner_ref, return_collection_id,
                            collected_at_ms)
  SELECT first.order_number, first.order_item_number, first.shipment_number, first.partner_ref, p_collection_id, p_now
    FROM (SELECT DISTINCT ON (listed.order_number, listed.order_item_number) listed.*
            FROM ROWS FROM (jsonb_to_recordset(p_parcels) AS (
                   order_number text, order_item_number text, shipment_number text, partner_ref text)) WITH ORDINALITY
                   AS listed (order_number, order_item_number, shipment_number, partner_ref, place)
           ORDER BY listed.order_number, listed.order_item_number, listed.place) AS first
   ORDER BY first.place
  ON CONFLICT (order_number, order_item_number) DO NOTHING;
  GET DIAGNOSTICS v_fresh = ROW_COUNT;
  -- A return with another shipment number is noted once in each collection.
  FOR v_other IN
    SELECT known.sales_return_seq, listed.shipment_number
      FROM ROWS FROM (jsonb_to_recordset(p_parcels) AS (
             order_number text, order_item_number text, shipment_number text)) WITH ORDINALITY
             AS listed (order_number, order_item_number, shipment_number, place)
      JOIN sales_return AS known ON known.order_number = listed.order_number
                                AND known.order_item_number = listed.order_item_number
     WHERE known.status = 'collected' AND known.shipment_number <> listed.shipment_number
     ORDER BY listed.place
  LOOP
    UPDATE sales_return
       SET other_shipment_number = v_other.shipment_number, other_collection_id = p_collection_id, other_at_ms = p_now
     WHERE sales_return_seq = v_other.sales_return_seq AND status = 'collected'
       AND shipment_number <> v_other.shipment_number
       AND (other_shipment_number IS DISTINCT FROM v_other.shipment_number
            OR other_collection_id IS DISTINCT FROM p_collection_id);
  END LOOP;
  RETURN v_fresh;
END
$$;

-- Sets records of the list aside; says how many rows that wrote. One that was set aside before is counted once in each collection.
CREATE OR REPLACE FUNCTION restock_return_reject_insert(p_collection_id text, p_oddities jsonb, p_now bigint)
RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_kept bigint;
BEGIN
  PERFORM restock_lock_returns();
  INSERT INTO return_reject (return_collection_id, last_collection_id, reason, record, first_at_ms, last_at_ms)
  SELECT p_collection_id, p_collection_id, first.reason, first.record, p_now, p_now
    FROM (SELECT DISTINCT ON (odd.reason, odd.record) odd.*
            FROM ROWS FROM (jsonb_to_recordset(p_oddities) AS (reason text, record text)) WITH ORDINALITY
                   AS odd (reason, record, place)
           ORDER BY odd.reason, odd.record, odd.place) AS first
   ORDER BY first.place
  ON CONFLICT (reason, md5(record)) DO UPDATE
     SET times = return_reject.times
                 + CASE WHEN return_reject.last_collection_id <> excluded.last_collection_id THEN 1 ELSE 0 END,
         last_collection_id = excluded.last_collection_id,
         last_at_ms = greatest(return_reject.last_at_ms, excluded.last_at_ms);
  GET DIAGNOSTICS v_kept = ROW_COUNT;
  RETURN v_kept;
END
$$;

-- Ends a collection and counts what happened since the one before it finished; one that finished before stays as it is. No row:
-- no such collection.
CREATE OR REPLACE FUNCTION restock_return_collection_finish(p_collection_id text, p_listed bigint, p_now bigint)
RETURNS SETOF return_collection LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_collection return_collection;
  v_since_ms bigint;
BEGIN
  SELECT * INTO v_collection FROM return_collection WHERE return_collection_id = p_collection_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF v_collection.progress <> 'finished' THEN
    v_since_ms := (SELECT coalesce(max(finished_at_ms), -1) FROM return_collection WHERE finished_at_ms IS NOT NULL);
    UPDATE return_collection
       SET progress = 'finished',
           finished_at_ms = p_now,
           listed = p_listed,
           fresh = counted.fresh,
           rejected = counted.rejected,
           delivered = counted.delivered,
           reported = counted.reported,
           failed = counted.rejected + counted.dead
      FROM (SELECT (SELECT count(*) FROM sales_return WHERE sales_return.return_collection_id = p_collection_id) AS fresh,
                   (SELECT count(*) FROM return_reject WHERE return_reject.return_collection_id = p_collection_id) AS rejected,
                   (SELECT count(*) FROM sales_return WHERE delivered_at_ms > v_since_ms AND delivered_at_ms <= p_now) AS delivered,
                   (SELECT count(*) FROM sales_return WHERE reported_at_ms > v_since_ms AND reported_at_ms <= p_now) AS reported,
                   (SELECT count(*) FROM message
                     WHERE queue_id = 'returns' AND state = 'buried' AND settled_at_ms > v_since_ms
                       AND settled_at_ms <= p_now) AS dead) AS counted
     WHERE return_collection_seq = v_collection.return_collection_seq
    RETURNING return_collection.* INTO v_collection;
  END IF;
  RETURN NEXT v_collection;
END
$$;

-- Notes that the partner took a report, and does with the goods what the shop does with them; the trigger books them. One row:
-- whether stock moved.
CREATE OR REPLACE FUNCTION restock_return_reported(p_id text, p_to_stock text, p_now bigint)
RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_return sales_return;
  v_sku text;
  v_quantity bigint;
BEGIN
  SELECT * INTO v_return FROM sales_return WHERE sales_return_id = p_id AND status = 'delivered' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF p_to_stock <> 'off' THEN
    PERFORM restock_lock_order_returns(v_return.order_number);
    SELECT sku, quantity INTO v_sku, v_quantity FROM return_item
     WHERE sales_return_seq = v_return.sales_return_seq AND quantity > 0
     ORDER BY rank
     LIMIT 1;
    IF p_to_stock = 'on' AND v_sku IS NOT NULL THEN
      PERFORM restock_lock_goods(ARRAY[v_sku]);
    END IF;
  END IF;
  UPDATE sales_return
     SET status = 'reported',
         reported_at_ms = p_now,
         to_stock = p_to_stock,
         goods = CASE WHEN p_to_stock = 'off' THEN 'left' WHEN v_sku IS NULL THEN 'not-ours'
                      WHEN p_to_stock = 'on' THEN 'received' ELSE 'waiting' END,
         sku = CASE WHEN p_to_stock = 'on' THEN v_sku END,
         quantity = CASE WHEN p_to_stock = 'on' THEN v_quantity END,
         settled_at_ms = CASE WHEN p_to_stock = 'on' AND v_sku IS NOT NULL THEN p_now END
   WHERE sales_return_seq = v_return.sales_return_seq;
  RETURN p_to_stock = 'on' AND v_sku IS NOT NULL;
END
$$;

-- Puts the goods of a return on the shelf, once, and says what became of the decision: `settled`, `repeated`, `otherwise`,
-- `too-early`, `nothing-matches`, `too-many` (with how many at most), `quantity-needed`, `unknown-sku`, `unknown-return`. Only
-- the first changes anything.
CREATE OR REPLACE FUNCTION restock_return_receive(
  p_id text, p_sku text, p_quantity bigint, p_reason text, p_operator text, p_now bigint,
  OUT outcome text, OUT at_most bigint, OUT entry sales_return) LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_sku text;
  v_left bigint;
  v_quantity bigint;
BEGIN
  SELECT * INTO entry FROM sales_return WHERE sales_return_id = p_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'unknown-return';
    RETURN;
  END IF;
  IF entry.goods IN ('pending', 'discarded', 'received') THEN
    outcome := CASE
      WHEN entry.goods = 'pending' THEN 'too-early'
      WHEN entry.goods = 'received' AND entry.operator <> '' AND entry.sku = coalesce(p_sku, entry.sku)
           AND entry.quantity = coalesce(p_quantity, entry.quantity) THEN 'repeated'
      ELSE 'otherwise' END;
    RETURN;
  END IF;
  IF p_sku IS NOT NULL AND NOT EXISTS (SELECT 1 FROM product WHERE product.sku = p_sku) THEN
    outcome := 'unknown-sku';
    RETURN;
  END IF;
  PERFORM restock_lock_order_returns(entry.order_number);
  SELECT item.sku, item.quantity INTO v_sku, v_left FROM return_item AS item
   WHERE item.sales_return_seq = entry.sales_return_seq
     AND CASE WHEN p_sku IS NULL THEN item.quantity > 0 ELSE item.sku = p_sku END
   ORDER BY rank
   LIMIT 1;
  v_left := greatest(v_left, CASE WHEN v_left IS NOT NULL THEN 0 END);
  v_sku := coalesce(p_sku, v_sku);
  v_quantity := coalesce(p_quantity, v_left);
  outcome := CASE
    WHEN v_sku IS NULL THEN 'nothing-matches'
    WHEN v_quantity IS NULL OR p_quantity < 1 THEN 'quantity-needed'
    WHEN v_quantity > v_left OR v_quantity < 1 THEN 'too-many'
    ELSE 'settled' END;
  IF outcome = 'too-many' THEN
    at_most := v_left;
  ELSIF outcome = 'settled' THEN
    PERFORM restock_lock_goods(ARRAY[v_sku]);
    UPDATE sales_return
       SET goods = 'received', sku = v_sku, quantity = v_quantity, settled_at_ms = p_now, reason = p_reason, operator = p_operator
     WHERE sales_return_seq = entry.sales_return_seq
    RETURNING sales_return.* INTO entry;
  END IF;
END
$$;

-- Decides that the goods never go back on the shelf: `settled`, `repeated`, `otherwise`, `too-early` or `unknown-return`.
CREATE OR REPLACE FUNCTION restock_return_discard(
  p_id text, p_reason text, p_operator text, p_now bigint, OUT outcome text, OUT entry sales_return)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  UPDATE sales_return
     SET goods = 'discarded', settled_at_ms = p_now, reason = p_reason, operator = p_operator
   WHERE sales_return_id = p_id AND goods IN ('waiting', 'left', 'not-ours')
  RETURNING sales_return.* INTO entry;
  IF FOUND THEN
    outcome := 'settled';
    RETURN;
  END IF;
  -- Locked: a report that is being written at this moment is waited for, not read past.
  SELECT * INTO entry FROM sales_return WHERE sales_return_id = p_id FOR NO KEY UPDATE;
  outcome := CASE entry.goods WHEN 'pending' THEN 'too-early' WHEN 'discarded' THEN 'repeated' WHEN 'received' THEN 'otherwise' END;
  IF entry.sales_return_id IS NULL THEN
    outcome := 'unknown-return';
  ELSIF outcome IS NULL THEN
    UPDATE sales_return
       SET goods = 'discarded', settled_at_ms = p_now, reason = p_reason, operator = p_operator
     WHERE sales_return_seq = entry.sales_return_seq
    RETURNING sales_return.* INTO entry;
    outcome := 'settled';
  END IF;
END
$$;

-- Carries out an operator's word that a parcel is to be followed now, and makes its next step due: a return that is not known
-- begins (`begun`); else (`resumed`) messages that wait are due now, and so is the dead letter of this step, as if redriven;
-- where none is left, another one is published. What a worker holds right now is left to it. `over`: it was reported before,
-- nothing was written.
CREATE OR REPLACE FUNCTION restock_return_replay(
  p_order_number text, p_order_item_number text, p_shipment_number text, p_partner_ref text, p_operator text, p_now bigint,
  OUT outcome text, OUT entry sales_return) LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_id text;
  v_waiting bigint[];
  v_dead bigint[];
BEGIN
  v_id := (SELECT sales_return_id FROM sales_return
            WHERE order_number = p_order_number AND order_item_number = p_order_item_number);
  IF v_id IS NULL THEN
    INSERT INTO sales_return (order_number, order_item_number, shipment_number, partner_ref, collected_at_ms)
    VALUES (p_order_number, p_order_item_number, p_shipment_number, p_partner_ref, p_now)
    ON CONFLICT (order_number, order_item_number) DO NOTHING
    RETURNING sales_return.* INTO entry;
    IF FOUND THEN
      outcome := 'begun';
    ELSE
      -- A list had it at the same moment.
      v_id := (SELECT sales_return_id FROM sales_return
                WHERE order_number = p_order_number AND order_item_number = p_order_item_number);
    END IF;
  END IF;
  IF outcome IS NULL THEN
    -- Messages first, as a settlement does; a claim that has one passes it on when it has written.
    v_waiting := ARRAY(SELECT message_seq FROM message
                        WHERE queue_id = 'returns' AND subject = v_id AND state IN ('ready', 'leased')
                        ORDER BY message_seq FOR NO KEY UPDATE);
    v_dead := ARRAY(SELECT message_seq FROM message
                     WHERE queue_id = 'returns' AND subject = v_id AND state = 'buried'
                     ORDER BY message_seq FOR NO KEY UPDATE);
    SELECT * INTO entry FROM sales_return WHERE sales_return_id = v_id FOR NO KEY UPDATE;
    IF entry.status = 'reported' THEN
      outcome := 'over';
      RETURN;
    END IF;
    outcome := 'resumed';
    IF entry.status = 'collected' AND entry.shipment_number <> p_shipment_number THEN
      UPDATE sales_return
         SET shipment_number = p_shipment_number, heard = '[]', unknown_since_ms = NULL,
             renumbered = EXISTS (SELECT 1 FROM message WHERE message_seq = ANY (v_waiting) AND state = 'leased')
       WHERE sales_return_seq = entry.sales_return_seq;
    END IF;
    UPDATE sales_return SET given_up_at_ms = NULL, unknown_since_ms = NULL
     WHERE sales_return_seq = entry.sales_return_seq AND given_up_at_ms IS NOT NULL;
    UPDATE message SET available_at_ms = least(available_at_ms, p_now)
     WHERE message_seq = ANY (v_waiting) AND state = 'ready';
    UPDATE message
       SET state = 'ready', attempts = 0, redrives = redrives + 1, available_at_ms = p_now, settled_at_ms = NULL
     WHERE message_seq = (SELECT max(dead.message_seq)
                            FROM message AS dead JOIN event ON event.event_id = dead.event_id
                           WHERE dead.message_seq = ANY (v_dead) AND dead.state = 'buried'
                             AND event.type = 'return.' || entry.status);
    SELECT * INTO entry FROM sales_return WHERE sales_return_id = v_id;
    INSERT INTO event (type, subject, time_ms, data)
    SELECT 'return.' || entry.status, v_id, p_now, restock_return_data(entry)
     WHERE NOT EXISTS (SELECT 1 FROM message JOIN event ON event.event_id = message.event_id
                        WHERE message.queue_id = 'returns' AND message.subject = v_id
                          AND message.state IN ('ready', 'leased') AND event.type = 'return.' || entry.status);
  END IF;
  INSERT INTO return_replay (order_number, order_item_number, shipment_number, partner_ref, outcome, operator, at_ms)
  VALUES (p_order_number, p_order_item_number, p_shipment_number, p_partner_ref, outcome, p_operator, p_now);
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  VALUES ('return.replay', entry.sales_return_id,
          jsonb_build_object('order_number', p_order_number, 'order_item_number', p_order_item_number,
                             'shipment_number', p_shipment_number, 'outcome', outcome),
          '', p_operator, p_now);
END
$$;
