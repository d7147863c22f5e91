-- Creates or changes a factory.
--
-- $1 factory_id  $2 name  $3 manager_email  $4 url  $5 now  $6 operator
--
-- One row: whether it was created.
INSERT INTO factory (factory_id, name, manager_email, url, created_at_ms, updated_at_ms, defined_by)
VALUES ($1::text, $2::text, $3::text, $4::text, $5::bigint, $5::bigint, $6::text)
ON CONFLICT (factory_id) DO UPDATE
   SET name = excluded.name,
       manager_email = excluded.manager_email,
       url = excluded.url,
       definitions = factory.definitions + 1,
       defined_by = excluded.defined_by,
       updated_at_ms = excluded.updated_at_ms
RETURNING definitions = 1;
