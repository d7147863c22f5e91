-- Says whether a table has a column.
--
-- ?1 table  ?2 column
--
-- No row: it does not.
SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2;
