-- Products, the factories that make them, and the ledger of every unit that moved.
--
-- Safe beside older code: there is none.
--
-- How this schema works. An operation of the domain is one statement, mostly the call of one function `restock_<operation>`;
-- triggers carry its consequences, so that they are one atomic write without a transaction that spans two calls.
-- The consequences flow one way:
--
--   sales_order ──> sales_order_line ──> stock_movement ──> product ──> production ──> event ──> message
--
-- `product` holds what the rows before it sum to (on_hand, on_order, backordered); the audit recomputes it.
--
-- Writers run side by side (READ COMMITTED), and a product's row is the lock for all that concerns the product. Who changes
-- several rows takes their locks in this order, and no deadlock can arise:
--
--   product (by sku) > production > sales_order > message (by message_seq) > buyer (by customer) > incident > queue
--
-- A trigger never waits for a row that comes earlier in this list than one that its transaction holds: the functions take what
-- their triggers will need beforehand. None of the triggers relies on the order in which those of one event fire: each reads
-- the rows as they are, not as they were. The plans of a function are kept by each connection, also one that was made while a
-- table held one row. So the functions that are called all the time are planned with indexes only (SET enable_seqscan = off;
-- jit = off, because what has to be scanned all the same, such as five queues, then looks expensive). Times are milliseconds
-- since 1970 and come from the caller. Identifiers made here are UUIDs version 7. Identifiers sort by their bytes (COLLATE
-- "C"), as the cursors of the lists do, whatever the language of the database.

-- RFC 9562, 5.7, from the clock of the machine: the time in an identifier keeps the index narrow and is never read.
CREATE OR REPLACE FUNCTION restock_uuid_v7() RETURNS text LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT CAST(CAST(encode(set_bit(set_bit(overlay(
           uuid_send(gen_random_uuid())
           PLACING substring(int8send(CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)) FROM 3)
           FROM 1 FOR 6), 52, 1), 53, 1), 'hex') AS uuid) AS text)
$$;

CREATE TABLE IF NOT EXISTS factory (
  factory_id    text COLLATE "C" PRIMARY KEY,
  name          text NOT NULL,
  manager_email text,
  url           text,                -- NULL: the application's factory_url
  definitions   bigint NOT NULL DEFAULT 1,
  created_at_ms bigint NOT NULL,
  updated_at_ms bigint NOT NULL
);

-- The row of a product that sells well changes with each order: room for new versions on its page keeps them off the index.
CREATE TABLE IF NOT EXISTS product (
  sku               text COLLATE "C" PRIMARY KEY,
  name              text NOT NULL,
  price_amount      bigint NOT NULL,
  price_currency    text COLLATE "C" NOT NULL,
  factory_id        text COLLATE "C" NOT NULL REFERENCES factory (factory_id),
  policy            text NOT NULL,
  reorder_point     bigint NOT NULL,
  order_up_to       bigint NOT NULL,
  ad_status         text NOT NULL,
  ad_manager_email  text,
  opening_stock     bigint NOT NULL,
  on_hand           bigint NOT NULL DEFAULT 0,
  on_order          bigint NOT NULL DEFAULT 0,
  backordered       bigint NOT NULL DEFAULT 0,
  depleted_since_ms bigint,          -- set while nothing can be sold: one episode, one message each way
  definitions       bigint NOT NULL DEFAULT 1,
  created_at_ms     bigint NOT NULL,
  updated_at_ms     bigint NOT NULL,
  CONSTRAINT stock_never_negative CHECK (on_hand >= 0),
  CONSTRAINT goods_on_order_never_negative CHECK (on_order >= 0),
  CONSTRAINT waiting_units_never_negative CHECK (backordered >= 0),
  CONSTRAINT opening_stock_never_negative CHECK (opening_stock >= 0),
  CONSTRAINT price_never_negative CHECK (price_amount >= 0),
  CONSTRAINT currency_is_three_letters CHECK (length(price_currency) = 3),
  CONSTRAINT reorder_point_never_negative CHECK (reorder_point >= 0),
  CONSTRAINT a_request_asks_for_something CHECK (order_up_to > reorder_point),
  CONSTRAINT policy_is_known CHECK (policy IN ('manual', 'auto')),
  CONSTRAINT ad_status_is_known CHECK (ad_status IN ('none', 'stopped', 'running', 'pause-requested'))
) WITH (fillfactor = 50);

-- What the levels of automatic products are computed from is read page by page.
CREATE INDEX IF NOT EXISTS product_automatic ON product (sku) WHERE policy = 'auto';

-- Columns that the SQLite schema got later (0006, 0010) and that statements on these tables write.
ALTER TABLE product ADD COLUMN IF NOT EXISTS defined_by text NOT NULL DEFAULT '';
ALTER TABLE factory ADD COLUMN IF NOT EXISTS defined_by text NOT NULL DEFAULT '';

-- The ledger. `on_order_delta` and `backordered_delta` are what the same movement does to the other two terms of the
-- inventory position: received goods are no longer on order, a filled backorder no longer waits. One update of the
-- product then takes the position from one true value to the next; two would show a dip that asks for goods.
--
-- A number is drawn under the lock of the product, so the ledger of each product is in the order in which things happened.
CREATE TABLE IF NOT EXISTS stock_movement (
  stock_movement_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  sku               text COLLATE "C" NOT NULL REFERENCES product (sku),
  kind              text NOT NULL,
  delta             bigint NOT NULL,
  on_order_delta    bigint NOT NULL DEFAULT 0,
  backordered_delta bigint NOT NULL DEFAULT 0,
  on_hand_after     bigint NOT NULL,
  sales_order_id    text COLLATE "C",
  production_id     text COLLATE "C",
  reason            text,
  operator          text,
  idempotency_key   text COLLATE "C",
  at_ms             bigint NOT NULL,
  CONSTRAINT kind_is_known CHECK (kind IN ('opening', 'sold', 'received', 'returned', 'adjusted')),
  CONSTRAINT only_an_opening_moves_nothing CHECK (delta <> 0 OR kind = 'opening'),
  CONSTRAINT sold_goods_leave_the_shelf CHECK (kind <> 'sold' OR delta < 0),
  CONSTRAINT received_goods_reach_the_shelf CHECK (kind NOT IN ('received', 'returned') OR delta > 0)
);

ALTER TABLE stock_movement ADD COLUMN IF NOT EXISTS sales_return_id text COLLATE "C"; -- as in 0011

CREATE INDEX IF NOT EXISTS stock_movement_by_sku ON stock_movement (sku, stock_movement_id);
CREATE UNIQUE INDEX IF NOT EXISTS one_adjustment_per_key
  ON stock_movement (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE OR REPLACE FUNCTION product_opens_its_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO stock_movement (sku, kind, delta, on_hand_after, at_ms)
  VALUES (NEW.sku, 'opening', NEW.opening_stock, NEW.opening_stock, NEW.created_at_ms);
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER product_opens_its_ledger AFTER INSERT ON product
FOR EACH ROW EXECUTE FUNCTION product_opens_its_ledger();

CREATE OR REPLACE FUNCTION stock_movement_moves_stock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE product
     SET on_hand = on_hand + NEW.delta,
         on_order = on_order + NEW.on_order_delta,
         backordered = backordered + NEW.backordered_delta,
         updated_at_ms = NEW.at_ms
   WHERE sku = NEW.sku;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER stock_movement_moves_stock AFTER INSERT ON stock_movement
FOR EACH ROW EXECUTE FUNCTION stock_movement_moves_stock();

-- Locks products, in the order of their SKUs. One after the other: no plan can take them in another order or look at all products.
CREATE OR REPLACE FUNCTION restock_lock_products(p_skus text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  wanted text;
BEGIN
  FOR wanted IN SELECT DISTINCT sku COLLATE "C" AS sku FROM unnest(p_skus) AS sku ORDER BY sku LOOP
    PERFORM 1 FROM product WHERE sku = wanted FOR NO KEY UPDATE;
  END LOOP;
END
$$;
