-- Counts one more call to the factory and says what to ask it for.
--
-- $1 production_id
--
-- No row: there is nothing to ask for (unknown, requested already, received or cancelled).
UPDATE production
   SET attempts = attempts + 1
 WHERE production_id = $1::text AND status IN ('planned', 'overdue', 'failed')
RETURNING production_id, sku, quantity, factory_id,
          (SELECT name FROM factory WHERE factory.factory_id = production.factory_id),
          (SELECT url FROM factory WHERE factory.factory_id = production.factory_id),
          attempts;
