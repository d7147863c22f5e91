-- Orders against stock, and the backorders that wait for goods.
--
-- Safe beside older code: new tables only.
--
-- Whether an order is accepted is decided by the statement that inserts it (it sees all products at once); the trigger
-- only carries the decision out. Should the two ever disagree, `stock_never_negative` undoes the whole order.

CREATE TABLE IF NOT EXISTS sales_order (
  sequence        INTEGER PRIMARY KEY,   -- first come, first served
  sales_order_id  TEXT NOT NULL UNIQUE,
  idempotency_key TEXT UNIQUE,
  request_hash    TEXT NOT NULL,         -- what the key was first used for
  customer_id     TEXT NOT NULL,
  customer_email  TEXT,
  customer_name   TEXT,
  if_short        TEXT NOT NULL,
  placed_as       TEXT NOT NULL,         -- the first answer, for repeated keys
  status          TEXT NOT NULL,
  items           TEXT NOT NULL,         -- JSON [{sku, quantity, unit_amount}], at the prices of that moment
  short           TEXT NOT NULL,         -- JSON [{sku, requested, available}]
  total_amount    INTEGER NOT NULL,
  currency        TEXT NOT NULL,
  placed_at_ms    INTEGER NOT NULL,
  filled_at_ms    INTEGER,
  replays         INTEGER NOT NULL DEFAULT 0,
  ring            INTEGER NOT NULL,      -- the write may have put work into a queue: a hint for the doorbell
  CONSTRAINT if_short_is_known CHECK (if_short IN ('reject', 'backorder')),
  CONSTRAINT status_is_known CHECK (status IN ('accepted', 'backordered', 'rejected')),
  CONSTRAINT first_answer_is_known CHECK (placed_as IN ('accepted', 'backordered', 'rejected')),
  CONSTRAINT only_a_backorder_changes CHECK (status = placed_as OR placed_as = 'backordered' AND status = 'accepted'),
  CONSTRAINT total_never_negative CHECK (total_amount >= 0)
) STRICT;

CREATE TABLE IF NOT EXISTS sales_order_line (
  sequence    INTEGER NOT NULL REFERENCES sales_order (sequence),
  sku         TEXT NOT NULL REFERENCES product (sku),
  quantity    INTEGER NOT NULL,
  unit_amount INTEGER NOT NULL,
  state       TEXT NOT NULL,
  at_ms       INTEGER NOT NULL,
  PRIMARY KEY (sequence, sku),
  CONSTRAINT a_line_sells_something CHECK (quantity > 0),
  CONSTRAINT line_state_is_known CHECK (state IN ('sold', 'waiting', 'rejected'))
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS sales_order_line_waiting ON sales_order_line (sku, sequence) WHERE state = 'waiting';
-- Demand, for the automatic levels: what was asked for, day by day.
CREATE INDEX IF NOT EXISTS sales_order_line_by_day ON sales_order_line (sku, at_ms);

CREATE TRIGGER IF NOT EXISTS sales_order_takes_stock AFTER INSERT ON sales_order
BEGIN
  INSERT INTO sales_order_line (sequence, sku, quantity, unit_amount, state, at_ms)
  SELECT NEW.sequence, item.value ->> 'sku', item.value ->> 'quantity', item.value ->> 'unit_amount',
         CASE NEW.status WHEN 'accepted' THEN 'sold' WHEN 'backordered' THEN 'waiting' ELSE 'rejected' END,
         NEW.placed_at_ms
    FROM json_each(NEW.items) AS item;
END;

-- One row by VALUES: a SELECT into a table with triggers is collected in a temporary table first.
CREATE TRIGGER IF NOT EXISTS sold_line_leaves_the_shelf AFTER INSERT ON sales_order_line WHEN NEW.state = 'sold'
BEGIN
  INSERT INTO stock_movement (sku, kind, delta, on_hand_after, sales_order_id, at_ms)
  VALUES (NEW.sku, 'sold', -NEW.quantity, (SELECT on_hand FROM product WHERE sku = NEW.sku) - NEW.quantity,
          (SELECT sales_order_id FROM sales_order WHERE sequence = NEW.sequence), NEW.at_ms);
END;

CREATE TRIGGER IF NOT EXISTS waiting_line_is_backordered AFTER INSERT ON sales_order_line WHEN NEW.state = 'waiting'
BEGIN
  UPDATE product SET backordered = backordered + NEW.quantity, updated_at_ms = NEW.at_ms WHERE sku = NEW.sku;
END;

CREATE TRIGGER IF NOT EXISTS filled_backorder_takes_stock AFTER UPDATE OF status ON sales_order
WHEN OLD.status = 'backordered' AND NEW.status = 'accepted'
BEGIN
  INSERT INTO stock_movement (sku, kind, delta, backordered_delta, on_hand_after, sales_order_id, at_ms)
  SELECT line.sku, 'sold', -line.quantity, -line.quantity, product.on_hand - line.quantity, NEW.sales_order_id,
         NEW.filled_at_ms
    FROM sales_order_line AS line JOIN product ON product.sku = line.sku
   WHERE line.sequence = NEW.sequence;
  -- This movement is a movement's consequence: without recursive_triggers it would be written and move nothing.
  SELECT RAISE(ABORT, 'a filled backorder moved no stock: recursive_triggers is off')
    FROM sales_order_line AS line JOIN product ON product.sku = line.sku
   WHERE line.sequence = NEW.sequence
     AND product.on_hand <> (SELECT on_hand_after FROM stock_movement
                              WHERE sku = line.sku ORDER BY stock_movement_id DESC LIMIT 1);
  UPDATE sales_order_line SET state = 'sold' WHERE sequence = NEW.sequence;
END;
