-- Oldest release that can run on it: 1
-- When the refresh intent was written: an old one that nobody settled may be taken over.
alter table gateway.connections add column intent_at timestamptz;
