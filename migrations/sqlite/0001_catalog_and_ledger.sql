-- Products, the factories that make them, and the ledger of every unit that moved.
--
-- Safe beside older code: there is none.
--
-- How this schema works. An operation of the domain is one statement on one table; triggers carry its
-- consequences, so that they are one atomic write on any backend, also where a transaction cannot span two calls.
-- The consequences flow one way:
--
--   sales_order ──> sales_order_line ──> stock_movement ──> product ──> production ──> event ──> message
--
-- `product` holds what the rows before it sum to (on_hand, on_order, backordered); the audit recomputes it.
-- Triggers need `recursive_triggers = ON` and `foreign_keys = ON`, which the store sets when it connects. None of them relies
-- on the order in which SQLite fires the triggers of one event: each reads the rows as they are, not as they were.
-- Times are milliseconds since 1970 and come from the caller. Identifiers made here are UUIDs version 7.

CREATE TABLE IF NOT EXISTS factory (
  factory_id    TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  manager_email TEXT,
  url           TEXT,               -- NULL: the application's factory_url
  definitions   INTEGER NOT NULL DEFAULT 1,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS product (
  sku               TEXT PRIMARY KEY,
  name              TEXT NOT NULL,
  price_amount      INTEGER NOT NULL,
  price_currency    TEXT NOT NULL,
  factory_id        TEXT NOT NULL REFERENCES factory (factory_id),
  policy            TEXT NOT NULL,
  reorder_point     INTEGER NOT NULL,
  order_up_to       INTEGER NOT NULL,
  ad_status         TEXT NOT NULL,
  ad_manager_email  TEXT,
  opening_stock     INTEGER NOT NULL,
  on_hand           INTEGER NOT NULL DEFAULT 0,
  on_order          INTEGER NOT NULL DEFAULT 0,
  backordered       INTEGER NOT NULL DEFAULT 0,
  depleted_since_ms INTEGER,         -- set while nothing can be sold: one episode, one message each way
  definitions       INTEGER NOT NULL DEFAULT 1,
  created_at_ms     INTEGER NOT NULL,
  updated_at_ms     INTEGER NOT NULL,
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
) STRICT;

-- The ledger. `on_order_delta` and `backordered_delta` are what the same movement does to the other two terms of the
-- inventory position: received goods are no longer on order, a filled backorder no longer waits. One update of the
-- product then takes the position from one true value to the next; two would show a dip that asks for goods.
CREATE TABLE IF NOT EXISTS stock_movement (
  stock_movement_id INTEGER PRIMARY KEY,
  sku               TEXT NOT NULL REFERENCES product (sku),
  kind              TEXT NOT NULL,
  delta             INTEGER NOT NULL,
  on_order_delta    INTEGER NOT NULL DEFAULT 0,
  backordered_delta INTEGER NOT NULL DEFAULT 0,
  on_hand_after     INTEGER NOT NULL,
  sales_order_id    TEXT,
  production_id     TEXT,
  reason            TEXT,
  operator          TEXT,
  idempotency_key   TEXT,
  at_ms             INTEGER NOT NULL,
  CONSTRAINT kind_is_known CHECK (kind IN ('opening', 'sold', 'received', 'returned', 'adjusted')),
  CONSTRAINT only_an_opening_moves_nothing CHECK (delta <> 0 OR kind = 'opening'),
  CONSTRAINT sold_goods_leave_the_shelf CHECK (kind <> 'sold' OR delta < 0),
  CONSTRAINT received_goods_reach_the_shelf CHECK (kind NOT IN ('received', 'returned') OR delta > 0)
) STRICT;

CREATE INDEX IF NOT EXISTS stock_movement_by_sku ON stock_movement (sku, stock_movement_id);
CREATE UNIQUE INDEX IF NOT EXISTS one_adjustment_per_key
  ON stock_movement (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TRIGGER IF NOT EXISTS product_opens_its_ledger AFTER INSERT ON product
BEGIN
  INSERT INTO stock_movement (sku, kind, delta, on_hand_after, at_ms)
  VALUES (NEW.sku, 'opening', NEW.opening_stock, NEW.opening_stock, NEW.created_at_ms);
END;

CREATE TRIGGER IF NOT EXISTS stock_movement_moves_stock AFTER INSERT ON stock_movement
BEGIN
  UPDATE product
     SET on_hand = on_hand + NEW.delta,
         on_order = on_order + NEW.on_order_delta,
         backordered = backordered + NEW.backordered_delta,
         updated_at_ms = NEW.at_ms
   WHERE sku = NEW.sku;
END;
