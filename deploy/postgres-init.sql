-- The customers live in a database of their own. Run once, by the container, when the volume is empty.
CREATE DATABASE customers;
