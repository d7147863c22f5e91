-- Reads who bought, in the order of their ids.
--
-- ?1 the customer_id after which the page begins, '' for the first  ?2 limit
--
-- No row: the list ends here. The columns are those of buyer_get.sql.
SELECT customer_id, email, name, orders, units_bought
  FROM buyer
 WHERE customer_id > ?1
 ORDER BY customer_id
 LIMIT ?2;
