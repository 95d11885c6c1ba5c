-- Oldest release that can run on it: 1
-- A consent that reaches another workspace than the connection did, until a person confirms it.
alter table gateway.connections add column waiting jsonb;
