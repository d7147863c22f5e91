-- Advertisements: the queue that asks their managers, and what was asked.
--
-- Safe beside older code: a new table, columns with a default, and triggers that older code does not know it fires.
--
-- `ad_starts` tells two advertisements within one episode apart: an operator may stop one and start it again while nothing
-- can be sold, and then its manager has to be asked again.

ALTER TABLE product ADD COLUMN ad_starts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN replenished_at_ms INTEGER; -- when something could be sold again, last

-- What was asked of whom is in the letter; this is that it was asked. The insert is the action.
CREATE TABLE IF NOT EXISTS ad_request (
  ad_request_seq    INTEGER PRIMARY KEY,    -- the order in which managers were asked, whatever the clocks said
  errand_id         TEXT NOT NULL UNIQUE,   -- {request}:{sku}:{depleted_since_ms}:{ad_starts}
  sku               TEXT NOT NULL REFERENCES product (sku),
  request           TEXT NOT NULL,
  depleted_since_ms INTEGER NOT NULL,       -- the episode
  ad_starts         INTEGER NOT NULL,       -- which of the product's advertisements
  asked_at_ms       INTEGER NOT NULL,
  CONSTRAINT ad_request_is_known CHECK (request IN ('pause', 'resume'))
) STRICT;

-- The episode that a resumption ends is that of the latest pause. (Every index ends with the sequence.)
CREATE INDEX IF NOT EXISTS ad_request_by_sku ON ad_request (sku);
CREATE INDEX IF NOT EXISTS ad_request_by_time ON ad_request (asked_at_ms, sku);
-- How many orders were lost while nothing could be sold.
CREATE INDEX IF NOT EXISTS sales_order_line_rejected ON sales_order_line (sku, at_ms, quantity) WHERE state = 'rejected';

INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms)
VALUES ('ad-control', 1, 30000, 16, 604800000) ON CONFLICT DO NOTHING;
INSERT INTO subscription (topic, queue_id)
VALUES ('stock.depleted', 'ad-control'), ('stock.replenished', 'ad-control'), ('ad.started', 'ad-control')
ON CONFLICT DO NOTHING;

-- An advertisement that an operator started anew since is another one: nobody was asked about it.
CREATE TRIGGER IF NOT EXISTS ad_request_moves_the_advertisement AFTER INSERT ON ad_request
BEGIN
  UPDATE product SET ad_status = 'pause-requested'
   WHERE sku = NEW.sku AND NEW.request = 'pause' AND ad_status = 'running' AND ad_starts = NEW.ad_starts;
  UPDATE product SET ad_status = 'running'
   WHERE sku = NEW.sku AND NEW.request = 'resume' AND ad_status = 'pause-requested' AND ad_starts = NEW.ad_starts;
END;

-- An advertisement that starts while nothing can be sold missed the message of the depletion.
CREATE TRIGGER IF NOT EXISTS advertisement_starts AFTER UPDATE OF ad_status ON product
WHEN NEW.ad_status = 'running' AND OLD.ad_status IN ('none', 'stopped')
BEGIN
  UPDATE product SET ad_starts = ad_starts + 1 WHERE sku = NEW.sku;
  INSERT INTO event (type, subject, time_ms, data)
  SELECT 'ad.started', sku, updated_at_ms, json_object('sku', sku, 'depleted_since_ms', depleted_since_ms)
    FROM product WHERE sku = NEW.sku AND depleted_since_ms IS NOT NULL;
END;

CREATE TRIGGER IF NOT EXISTS product_is_replenished AFTER UPDATE OF depleted_since_ms ON product
WHEN NEW.depleted_since_ms IS NULL AND OLD.depleted_since_ms IS NOT NULL
BEGIN
  UPDATE product SET replenished_at_ms = updated_at_ms WHERE sku = NEW.sku;
END;

-- Products that were sold out before this queue was there: their advertisements are news to it. (It has no message yet, unless
-- this file was applied before.)
INSERT INTO event (type, subject, time_ms, data)
SELECT 'ad.started', sku, updated_at_ms, json_object('sku', sku, 'depleted_since_ms', depleted_since_ms)
  FROM product
 WHERE ad_status = 'running' AND depleted_since_ms IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM message WHERE queue_id = 'ad-control');
