-- Reads what a customer bought.
--
-- $1 customer_id
--
-- No row: no order of theirs was accepted.
SELECT customer_id, email, name, orders, units_bought FROM buyer WHERE customer_id = $1::text;
