-- Oldest release that can run on it: 1
-- A pending consent for another workspace than the connection had, until a user confirms it.
alter table gateway.connections add column waiting jsonb;
