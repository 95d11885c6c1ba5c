-- Oldest release that can run on it: 1
-- When the refresh intent was written: an old unresolved one may be taken over.
alter table gateway.connections add column intent_at timestamptz;
