-- Production requests: what was asked of a factory, and how running low leads to it.
--
-- Safe beside older code: new tables, and triggers that older code does not know it fires.

CREATE TABLE IF NOT EXISTS production (
  production_id     text COLLATE "C" PRIMARY KEY DEFAULT restock_uuid_v7(),
  sku               text COLLATE "C" NOT NULL REFERENCES product (sku),
  factory_id        text COLLATE "C" NOT NULL REFERENCES factory (factory_id),
  quantity          bigint NOT NULL,
  status            text NOT NULL DEFAULT 'planned',
  attempts          bigint NOT NULL DEFAULT 0,
  factory_job_id    text,
  follows           text COLLATE "C" REFERENCES production (production_id),
  planned_at_ms     bigint NOT NULL,
  requested_at_ms   bigint,
  due_at_ms         bigint,
  received_at_ms    bigint,
  received_quantity bigint,
  on_hand_after     bigint,         -- what the factory was answered, for repeated reports
  -- The levels that led to the request: "why so many?" is asked weeks later.
  because_on_hand       bigint NOT NULL,
  because_on_order      bigint NOT NULL,
  because_backordered   bigint NOT NULL,
  because_reorder_point bigint NOT NULL,
  because_order_up_to   bigint NOT NULL,
  CONSTRAINT a_request_is_for_something CHECK (quantity > 0),
  CONSTRAINT production_status_is_known CHECK (
    status IN ('planned', 'requested', 'overdue', 'received', 'failed', 'cancelled')),
  CONSTRAINT received_means_goods_came CHECK (
    (status = 'received') = (received_quantity IS NOT NULL AND received_at_ms IS NOT NULL)),
  CONSTRAINT something_came CHECK (received_quantity > 0)
);

-- However many orders fail, a product has one open request. A failed one counts: asking again is an operator's decision.
CREATE UNIQUE INDEX IF NOT EXISTS one_open_production_per_product
  ON production (sku) WHERE status IN ('planned', 'requested', 'overdue', 'failed');
CREATE INDEX IF NOT EXISTS production_due ON production (due_at_ms) WHERE status = 'requested';
CREATE INDEX IF NOT EXISTS production_by_status ON production (status, production_id);
CREATE INDEX IF NOT EXISTS production_received ON production (sku, received_at_ms) WHERE status = 'received';

INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms)
VALUES ('replenishment', true, 30000, 64, 604800000) ON CONFLICT DO NOTHING;
INSERT INTO subscription (topic, queue_id)
VALUES ('stock.low', 'replenishment'), ('stock.depleted', 'replenishment'), ('production.overdue', 'replenishment')
ON CONFLICT DO NOTHING;

-- The reorder rule. Whatever moves the position below the line opens the request, in the same write.
CREATE OR REPLACE FUNCTION product_is_reordered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO production (sku, factory_id, quantity, planned_at_ms, because_on_hand, because_on_order,
                          because_backordered, because_reorder_point, because_order_up_to)
  SELECT sku, factory_id, order_up_to - (on_hand + on_order - backordered), updated_at_ms, on_hand, on_order,
         backordered, reorder_point, order_up_to
    FROM product
   WHERE sku = NEW.sku
     AND on_hand + on_order - backordered <= reorder_point
     AND NOT EXISTS (SELECT 1 FROM production
                      WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'));
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER product_is_reordered
AFTER UPDATE OF on_hand, on_order, backordered, reorder_point, order_up_to ON product
FOR EACH ROW WHEN (NEW.on_hand + NEW.on_order - NEW.backordered <= NEW.reorder_point)
EXECUTE FUNCTION product_is_reordered();

CREATE OR REPLACE FUNCTION production_is_announced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  SELECT CASE WHEN on_hand - backordered <= 0 AND depleted_since_ms IS NULL THEN 'stock.depleted' ELSE 'stock.low' END,
         sku, NEW.planned_at_ms,
         jsonb_build_object('sku', sku, 'production_id', NEW.production_id, 'quantity', NEW.quantity,
                            'factory_id', NEW.factory_id, 'on_hand', on_hand, 'backordered', backordered)
    FROM product WHERE sku = NEW.sku;
  UPDATE product
     SET on_order = on_order + NEW.quantity,
         updated_at_ms = NEW.planned_at_ms,
         depleted_since_ms = CASE WHEN on_hand - backordered <= 0
                                  THEN coalesce(depleted_since_ms, NEW.planned_at_ms) ELSE depleted_since_ms END
   WHERE sku = NEW.sku;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER production_is_announced AFTER INSERT ON production
FOR EACH ROW EXECUTE FUNCTION production_is_announced();

-- The shelf empties while goods are already on order. (Where none are, the request that opens announces it.)
CREATE OR REPLACE FUNCTION product_is_depleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'stock.depleted', product.sku, product.updated_at_ms,
         jsonb_build_object('sku', product.sku, 'production_id', production_id, 'quantity', quantity,
                            'factory_id', production.factory_id, 'on_hand', on_hand, 'backordered', backordered)
    FROM product JOIN production ON production.sku = product.sku
     AND production.status IN ('planned', 'requested', 'overdue', 'failed')
   WHERE product.sku = NEW.sku AND on_hand - backordered <= 0 AND depleted_since_ms IS NULL;
  IF FOUND THEN
    UPDATE product SET depleted_since_ms = updated_at_ms
     WHERE sku = NEW.sku AND on_hand - backordered <= 0 AND depleted_since_ms IS NULL;
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER product_is_depleted AFTER UPDATE OF on_hand, backordered ON product
FOR EACH ROW WHEN (NEW.on_hand - NEW.backordered <= 0 AND NEW.depleted_since_ms IS NULL)
EXECUTE FUNCTION product_is_depleted();

-- Goods reach the shelf: waiting orders first, in the order they came, then the shop is open again.
--
-- An order can be filled when, for each of its lines, the shelf holds the units of that line and of every line that
-- waits before it. Filling one takes as much from the shelf as from the sums behind it, so the answer for
-- the others stays the same and one pass fills all that can be filled; nobody overtakes.
--
-- It reads and changes the other products of these orders: whoever brings goods called restock_lock_goods first.
CREATE OR REPLACE FUNCTION product_gets_goods() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.backordered > 0 THEN
    UPDATE sales_order SET status = 'accepted', filled_at_ms = NEW.updated_at_ms
     WHERE status = 'backordered' AND sequence = ANY (ARRAY(
       SELECT waiting.sequence
         FROM (SELECT sequence, sku, sum(quantity) OVER (PARTITION BY sku ORDER BY sequence) AS up_to_here
                 FROM sales_order_line
                WHERE state = 'waiting' AND sku = ANY (ARRAY(
                  SELECT DISTINCT other.sku FROM sales_order_line AS mine
                    JOIN sales_order_line AS other ON other.sequence = mine.sequence
                   WHERE mine.sku = NEW.sku AND mine.state = 'waiting'))) AS waiting
         JOIN product ON product.sku = waiting.sku
        WHERE waiting.sequence IN (SELECT sequence FROM sales_order_line WHERE sku = NEW.sku AND state = 'waiting')
        GROUP BY waiting.sequence
       HAVING min(product.on_hand - waiting.up_to_here) >= 0));
  END IF;
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'stock.replenished', sku, NEW.updated_at_ms,
         jsonb_build_object('sku', sku, 'on_hand', on_hand, 'backordered', backordered,
                            'depleted_since_ms', depleted_since_ms)
    FROM product WHERE sku = NEW.sku AND on_hand - backordered > 0 AND depleted_since_ms IS NOT NULL;
  IF FOUND THEN
    UPDATE product SET depleted_since_ms = NULL
     WHERE sku = NEW.sku AND on_hand - backordered > 0 AND depleted_since_ms IS NOT NULL;
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER product_gets_goods AFTER UPDATE OF on_hand ON product
FOR EACH ROW WHEN (NEW.on_hand > OLD.on_hand) EXECUTE FUNCTION product_gets_goods();

-- Goods come, once. A missing rest becomes a request of its own before the movement takes it off the units on order, so the
-- position never dips in between.
CREATE OR REPLACE FUNCTION production_is_received() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO production (sku, factory_id, quantity, follows, planned_at_ms, because_on_hand, because_on_order,
                          because_backordered, because_reorder_point, because_order_up_to)
  SELECT sku, factory_id, NEW.quantity - NEW.received_quantity, NEW.production_id, NEW.received_at_ms, on_hand,
         on_order, backordered, reorder_point, order_up_to
    FROM product
   WHERE sku = NEW.sku AND NEW.received_quantity < NEW.quantity AND OLD.status IN ('planned', 'requested', 'overdue')
     AND NOT EXISTS (SELECT 1 FROM production
                      WHERE sku = NEW.sku AND status IN ('planned', 'requested', 'overdue', 'failed'));
  INSERT INTO stock_movement (sku, kind, delta, on_order_delta, on_hand_after, production_id, at_ms)
  SELECT sku, 'received', NEW.received_quantity,
         CASE WHEN OLD.status IN ('planned', 'requested', 'overdue') THEN -NEW.quantity ELSE 0 END,
         on_hand + NEW.received_quantity, NEW.production_id, NEW.received_at_ms
    FROM product WHERE sku = NEW.sku;
  UPDATE production SET on_hand_after = (SELECT on_hand FROM product WHERE sku = NEW.sku)
   WHERE production_id = NEW.production_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER production_is_received AFTER UPDATE OF status ON production
FOR EACH ROW WHEN (OLD.status <> 'received' AND NEW.status = 'received') EXECUTE FUNCTION production_is_received();

CREATE OR REPLACE FUNCTION production_is_overdue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event (type, subject, time_ms, data)
  VALUES ('production.overdue', NEW.sku, NEW.due_at_ms, jsonb_build_object(
    'sku', NEW.sku, 'production_id', NEW.production_id, 'quantity', NEW.quantity, 'factory_id', NEW.factory_id,
    'attempts', NEW.attempts));
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER production_is_overdue AFTER UPDATE OF status ON production
FOR EACH ROW WHEN (OLD.status = 'requested' AND NEW.status = 'overdue') EXECUTE FUNCTION production_is_overdue();

-- A request lives and dies with the message that carries it.
CREATE OR REPLACE FUNCTION buried_message_fails_its_production() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE production SET status = 'failed'
   WHERE status IN ('planned', 'overdue')
     AND production_id = (SELECT data ->> 'production_id' FROM event WHERE event_id = NEW.event_id);
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER buried_message_fails_its_production AFTER UPDATE OF state ON message
FOR EACH ROW WHEN (NEW.queue_id = 'replenishment' AND NEW.state = 'buried')
EXECUTE FUNCTION buried_message_fails_its_production();

CREATE OR REPLACE FUNCTION redriven_message_plans_its_production() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE production SET status = 'planned'
   WHERE status = 'failed'
     AND production_id = (SELECT data ->> 'production_id' FROM event WHERE event_id = NEW.event_id);
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER redriven_message_plans_its_production AFTER UPDATE OF state ON message
FOR EACH ROW WHEN (NEW.queue_id = 'replenishment' AND OLD.state = 'buried' AND NEW.state = 'ready')
EXECUTE FUNCTION redriven_message_plans_its_production();

CREATE OR REPLACE FUNCTION purged_message_cancels_its_production() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE production SET status = 'cancelled'
   WHERE status = 'failed'
     AND production_id = (SELECT data ->> 'production_id' FROM event WHERE event_id = NEW.event_id);
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER purged_message_cancels_its_production AFTER UPDATE OF state ON message
FOR EACH ROW WHEN (NEW.queue_id = 'replenishment' AND NEW.state = 'purged')
EXECUTE FUNCTION purged_message_cancels_its_production();

CREATE OR REPLACE FUNCTION failed_production_brings_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE product SET on_order = on_order - NEW.quantity WHERE sku = NEW.sku;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER failed_production_brings_nothing AFTER UPDATE OF status ON production
FOR EACH ROW WHEN (NEW.status = 'failed' AND OLD.status IN ('planned', 'overdue'))
EXECUTE FUNCTION failed_production_brings_nothing();

CREATE OR REPLACE FUNCTION replanned_production_brings_goods() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE product SET on_order = on_order + NEW.quantity WHERE sku = NEW.sku;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER replanned_production_brings_goods AFTER UPDATE OF status ON production
FOR EACH ROW WHEN (OLD.status = 'failed' AND NEW.status IN ('planned', 'requested'))
EXECUTE FUNCTION replanned_production_brings_goods();

-- Takes the locks that goods for these products need: the products, and all others of orders that wait for them, in the order of
-- SKUs. Which these are is sure only when the locks are held, so it looks again, and lets go and begins anew where an order came in
-- between. Where orders come in every time, the caller is told to come again, and others get their turn.
CREATE OR REPLACE FUNCTION restock_lock_goods(p_skus text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  rounds_max CONSTANT integer := 20;
  concerned text[] := p_skus;
  found_now text[];
BEGIN
  FOR round IN 1 .. rounds_max LOOP
    found_now := ARRAY(
      SELECT other.sku FROM sales_order_line AS mine JOIN sales_order_line AS other ON other.sequence = mine.sequence
       WHERE mine.sku = ANY (p_skus) AND mine.state = 'waiting'
       UNION SELECT unnest(p_skus));
    BEGIN
      PERFORM restock_lock_products(found_now);
      concerned := found_now;
      found_now := ARRAY(
        SELECT DISTINCT other.sku FROM sales_order_line AS mine JOIN sales_order_line AS other ON other.sequence = mine.sequence
         WHERE mine.sku = ANY (p_skus) AND mine.state = 'waiting');
      IF found_now <@ concerned THEN
        RETURN;
      END IF;
      RAISE EXCEPTION 'another order came to wait' USING ERRCODE = 'RS001';
    EXCEPTION WHEN SQLSTATE 'RS001' THEN
      NULL; -- The locks of this round are gone.
    END;
  END LOOP;
  RAISE EXCEPTION 'orders for these products keep coming to wait' USING ERRCODE = 'serialization_failure';
END
$$;

-- Books the goods of a request, once; a report that comes twice, also at the same moment, is answered with the first number.
-- No row: no such request.
CREATE OR REPLACE FUNCTION restock_production_receive(IN p_production_id text, IN p_quantity bigint, IN p_now bigint)
RETURNS TABLE (production_id text, sku text, on_hand_after bigint, repeated boolean)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  wanted_sku text;
BEGIN
  SELECT production.sku INTO wanted_sku FROM production WHERE production_id = p_production_id;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM restock_lock_goods(ARRAY[wanted_sku]);
  UPDATE production SET status = 'received', received_quantity = p_quantity, received_at_ms = p_now
   WHERE production_id = p_production_id AND status <> 'received';
  repeated := NOT FOUND;
  RETURN QUERY
  SELECT production.production_id, production.sku, production.on_hand_after, repeated
    FROM production WHERE production_id = p_production_id;
END
$$;

-- Books goods for whichever request of a product is open, or for none. No row: no such product.
CREATE OR REPLACE FUNCTION restock_production_receive_open(IN p_sku text, IN p_quantity bigint, IN p_now bigint)
RETURNS TABLE (production_id text, sku text, on_hand_after bigint, repeated boolean)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  open_id text;
BEGIN
  PERFORM restock_lock_goods(ARRAY[p_sku]);
  UPDATE production SET status = 'received', received_quantity = p_quantity, received_at_ms = p_now
   WHERE sku = p_sku AND status IN ('planned', 'requested', 'overdue', 'failed')
  RETURNING production_id INTO open_id;
  IF NOT FOUND THEN
    INSERT INTO stock_movement (sku, kind, delta, on_hand_after, at_ms)
    SELECT sku, 'received', p_quantity, on_hand + p_quantity, p_now FROM product WHERE sku = p_sku;
  END IF;
  RETURN QUERY SELECT open_id, product.sku, on_hand, false FROM product WHERE sku = p_sku;
END
$$;

-- Notes that the factory took the job; a request that had failed brings goods again, so its product is locked first.
CREATE OR REPLACE FUNCTION restock_production_requested(
  IN p_production_id text, IN p_factory_job_id text, IN p_requested_at_ms bigint, IN p_due_at_ms bigint)
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  PERFORM restock_lock_products(ARRAY(SELECT sku FROM production WHERE production_id = p_production_id));
  UPDATE production
     SET status = 'requested',
         factory_job_id = coalesce(p_factory_job_id, factory_job_id),
         requested_at_ms = p_requested_at_ms,
         due_at_ms = p_due_at_ms
   WHERE production_id = p_production_id AND status IN ('planned', 'overdue', 'failed');
END
$$;

-- Marks requests whose goods did not come in time; the trigger has them asked for again. Several ticks at once share them.
CREATE OR REPLACE FUNCTION restock_production_mark_overdue(IN p_now bigint, IN p_limit bigint)
RETURNS SETOF text LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  late text[];
BEGIN
  late := ARRAY(SELECT production_id FROM production
                 WHERE status = 'requested' AND due_at_ms <= p_now ORDER BY due_at_ms LIMIT p_limit);
  IF late = '{}' THEN
    RETURN;
  END IF;
  PERFORM restock_lock_products(ARRAY(SELECT sku FROM production WHERE production_id = ANY (late)));
  RETURN QUERY
  UPDATE production SET status = 'overdue'
   WHERE production_id = ANY (late) AND status = 'requested' AND due_at_ms <= p_now
  RETURNING production_id;
END
$$;

-- Corrects the stock by hand.
--
-- outcome: `adjusted` (`moved` is the movement), `key-used` (`moved` is the one that the key was used for), `would-go-negative`
-- (`on_hand` says what is there), `unknown-sku`. In the last three nothing was changed.
CREATE OR REPLACE FUNCTION restock_stock_adjust(
  IN p_sku text, IN p_delta bigint, IN p_reason text, IN p_operator text, IN p_idempotency_key text, IN p_now bigint,
  OUT outcome text, OUT on_hand bigint, OUT moved stock_movement)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  outcome := 'key-used';
  IF p_idempotency_key IS NOT NULL THEN
    SELECT * INTO moved FROM stock_movement WHERE idempotency_key = p_idempotency_key;
    IF FOUND THEN
      RETURN;
    END IF;
  END IF;
  IF p_delta > 0 THEN
    PERFORM restock_lock_goods(ARRAY[p_sku]);
  ELSE
    PERFORM restock_lock_products(ARRAY[p_sku]);
  END IF;
  SELECT product.on_hand INTO restock_stock_adjust.on_hand FROM product WHERE sku = p_sku;
  IF NOT FOUND THEN
    outcome := 'unknown-sku';
    RETURN;
  ELSIF restock_stock_adjust.on_hand + p_delta < 0 THEN
    -- The same key may have brought it there while this call waited.
    SELECT * INTO moved FROM stock_movement WHERE idempotency_key = p_idempotency_key;
    outcome := CASE WHEN FOUND THEN 'key-used' ELSE 'would-go-negative' END;
    RETURN;
  END IF;
  INSERT INTO stock_movement (sku, kind, delta, on_hand_after, reason, operator, idempotency_key, at_ms)
  VALUES (p_sku, 'adjusted', p_delta, restock_stock_adjust.on_hand + p_delta, p_reason, p_operator, p_idempotency_key, p_now)
  ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
  RETURNING * INTO moved;
  IF FOUND THEN
    outcome := 'adjusted';
  ELSE
    SELECT * INTO moved FROM stock_movement WHERE idempotency_key = p_idempotency_key;
  END IF;
END
$$;

-- Creates or changes a product. The opening movement and a request that the levels make necessary are in the triggers. No row: no
-- such factory, nothing was changed.
--
-- A product keeps its stock. One that stays automatic keeps its computed levels too, and an advertisement that runs keeps the
-- request to pause it: a definition that is sent again must not undo what happened since.
CREATE OR REPLACE FUNCTION restock_product_define(
  IN p_sku text, IN p_name text, IN p_price_amount bigint, IN p_price_currency text, IN p_factory_id text, IN p_policy text,
  IN p_reorder_point bigint, IN p_order_up_to bigint, IN p_ad_status text, IN p_ad_manager_email text,
  IN p_opening_stock bigint, IN p_now bigint, IN p_operator text)
RETURNS TABLE (created boolean, defined product) LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO product (sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to,
                       ad_status, ad_manager_email, opening_stock, created_at_ms, updated_at_ms, defined_by)
  SELECT p_sku, p_name, p_price_amount, p_price_currency, factory_id, p_policy, p_reorder_point, p_order_up_to,
         p_ad_status, p_ad_manager_email, p_opening_stock, p_now, p_now, p_operator
    FROM factory
   WHERE factory_id = p_factory_id
  ON CONFLICT (sku) DO UPDATE
     SET name = excluded.name,
         price_amount = excluded.price_amount,
         price_currency = excluded.price_currency,
         factory_id = excluded.factory_id,
         policy = excluded.policy,
         reorder_point = CASE WHEN product.policy = 'auto' AND excluded.policy = 'auto'
                              THEN product.reorder_point ELSE excluded.reorder_point END,
         order_up_to = CASE WHEN product.policy = 'auto' AND excluded.policy = 'auto'
                            THEN product.order_up_to ELSE excluded.order_up_to END,
         ad_status = CASE WHEN product.ad_status = 'pause-requested' AND excluded.ad_status = 'running'
                          THEN product.ad_status ELSE excluded.ad_status END,
         ad_manager_email = excluded.ad_manager_email,
         definitions = product.definitions + 1,
         defined_by = excluded.defined_by,
         updated_at_ms = excluded.updated_at_ms
  RETURNING definitions = 1 INTO created;
  IF FOUND THEN
    RETURN QUERY SELECT restock_product_define.created, product FROM product WHERE sku = p_sku;
  END IF;
END
$$;

-- Sets the computed levels of a product under the `auto` policy. True where it has them now; having them already costs no
-- write, however often the levels are computed.
CREATE OR REPLACE FUNCTION restock_product_set_levels(
  IN p_sku text, IN p_reorder_point bigint, IN p_order_up_to bigint, IN p_now bigint)
RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
  UPDATE product
     SET reorder_point = p_reorder_point, order_up_to = p_order_up_to, updated_at_ms = p_now
   WHERE sku = p_sku AND policy = 'auto' AND (reorder_point <> p_reorder_point OR order_up_to <> p_order_up_to);
  RETURN FOUND OR EXISTS (SELECT 1 FROM product
                           WHERE sku = p_sku AND policy = 'auto' AND reorder_point = p_reorder_point
                             AND order_up_to = p_order_up_to);
END
$$;
