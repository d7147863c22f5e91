-- Notes that the partner took a report, and does with the goods what the shop does with them; the trigger books them.
--
-- $1 sales_return_id  $2 to_stock: on, off or ask  $3 now
--
-- One row: whether stock moved. It did not where there is no such return, or it is not delivered or was reported before.
SELECT restock_return_reported($1::text, $2::text, $3::bigint);
