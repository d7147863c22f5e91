-- Who did what: every action of an operator, of whatever kind, in the order in which it was carried out.
--
-- Safe beside older code: a new table, columns with a default, and triggers that older code does not know it fires. What
-- older code defines has no operator and leaves no record, unless newer code defined it before: then it is put down to the
-- operator of that time.
--
-- `operation` stays the door through which queues are operated; this is the book that all doors write into.

ALTER TABLE product ADD COLUMN defined_by TEXT NOT NULL DEFAULT '';
ALTER TABLE factory ADD COLUMN defined_by TEXT NOT NULL DEFAULT '';

CREATE TABLE IF NOT EXISTS operator_action (
  operator_action_id INTEGER PRIMARY KEY,
  kind               TEXT NOT NULL,
  subject            TEXT NOT NULL,         -- a queue, a SKU, a factory
  detail             TEXT NOT NULL,
  reason             TEXT NOT NULL,
  operator           TEXT NOT NULL,
  at_ms              INTEGER NOT NULL,
  CONSTRAINT detail_is_json CHECK (json_valid(detail))
) STRICT;

INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
SELECT kind, subject, detail, reason, operator, at_ms
  FROM (SELECT 'queue.' || kind AS kind, queue_id AS subject, json_object('affected', affected) AS detail, reason,
               operator, at_ms
          FROM operation
        UNION ALL
        SELECT 'stock.adjust', sku, json_object('delta', delta, 'on_hand', on_hand_after), coalesce(reason, ''),
               operator, at_ms
          FROM stock_movement WHERE kind = 'adjusted' AND operator IS NOT NULL)
 WHERE NOT EXISTS (SELECT 1 FROM operator_action)
 ORDER BY at_ms;

-- The first messages are named, so that one can be looked up; a redrive of thousands is not.
CREATE TRIGGER IF NOT EXISTS operation_is_on_record AFTER INSERT ON operation
BEGIN
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  VALUES ('queue.' || NEW.kind, NEW.queue_id,
          json_object('affected', NEW.affected, 'messages',
                      json((SELECT json_group_array(message_id)
                              FROM (SELECT message_id FROM json_each(NEW.selection) JOIN message ON message_seq = value
                                     LIMIT 20)))),
          NEW.reason, NEW.operator, NEW.at_ms);
END;

CREATE TRIGGER IF NOT EXISTS adjustment_is_on_record AFTER INSERT ON stock_movement
WHEN NEW.kind = 'adjusted' AND NEW.operator IS NOT NULL
BEGIN
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  VALUES ('stock.adjust', NEW.sku, json_object('delta', NEW.delta, 'on_hand', NEW.on_hand_after),
          coalesce(NEW.reason, ''), NEW.operator, NEW.at_ms);
END;

CREATE TRIGGER IF NOT EXISTS new_product_is_on_record AFTER INSERT ON product WHEN NEW.defined_by <> ''
BEGIN
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  VALUES ('product.create', NEW.sku, json_object(
            'name', NEW.name, 'price_amount', NEW.price_amount, 'price_currency', NEW.price_currency,
            'factory_id', NEW.factory_id, 'policy', NEW.policy, 'reorder_point', NEW.reorder_point,
            'order_up_to', NEW.order_up_to, 'ad_status', NEW.ad_status, 'opening_stock', NEW.opening_stock),
          '', NEW.defined_by, NEW.updated_at_ms);
END;

CREATE TRIGGER IF NOT EXISTS changed_product_is_on_record AFTER UPDATE OF definitions ON product
WHEN NEW.defined_by <> '' AND NEW.definitions > OLD.definitions
BEGIN
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  VALUES ('product.change', NEW.sku, json_object(
            'name', NEW.name, 'price_amount', NEW.price_amount, 'price_currency', NEW.price_currency,
            'factory_id', NEW.factory_id, 'policy', NEW.policy, 'reorder_point', NEW.reorder_point,
            'order_up_to', NEW.order_up_to, 'ad_status', NEW.ad_status),
          '', NEW.defined_by, NEW.updated_at_ms);
END;

CREATE TRIGGER IF NOT EXISTS new_factory_is_on_record AFTER INSERT ON factory WHEN NEW.defined_by <> ''
BEGIN
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  VALUES ('factory.create', NEW.factory_id, json_object('name', NEW.name, 'url', NEW.url), '', NEW.defined_by,
          NEW.updated_at_ms);
END;

CREATE TRIGGER IF NOT EXISTS changed_factory_is_on_record AFTER UPDATE OF definitions ON factory
WHEN NEW.defined_by <> '' AND NEW.definitions > OLD.definitions
BEGIN
  INSERT INTO operator_action (kind, subject, detail, reason, operator, at_ms)
  VALUES ('factory.change', NEW.factory_id, json_object('name', NEW.name, 'url', NEW.url), '', NEW.defined_by,
          NEW.updated_at_ms);
END;
