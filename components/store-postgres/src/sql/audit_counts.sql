-- Counts what the audit looks at.
SELECT (SELECT count(*) FROM product), (SELECT count(*) FROM sales_order), (SELECT count(*) FROM message);
