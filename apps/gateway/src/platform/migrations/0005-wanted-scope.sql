-- Oldest release that can run on it: 1
-- Scopes that calls lacked, until a consent has requested them; empty after the server refused such a request.
alter table gateway.connections add column wanted_scope text;
