-- Finds buyers whose totals are not what their accepted orders sum to.
--
-- $1 limit. One row for each violation, in words.
SELECT format('customer %s: %s orders of %s units are accepted, the totals are %s of %s', customer_id, sum(accepted),
              sum(accepted_units), sum(held), sum(held_units))
  FROM (SELECT customer_id, 1 AS accepted,
               coalesce(units, (SELECT sum(CAST(value ->> 'quantity' AS bigint))
                                  FROM jsonb_array_elements(items) AS item (value))) AS accepted_units,
               0 AS held, 0 AS held_units
          FROM sales_order WHERE status = 'accepted'
        UNION ALL
        SELECT customer_id, 0, 0, orders, units_bought FROM buyer) AS both_sides
 GROUP BY customer_id
HAVING sum(accepted) <> sum(held) OR sum(accepted_units) <> sum(held_units)
 LIMIT $1::bigint;
