-- Oldest release that can run on it: 1
-- What upstream refused calls for want of, until a consent has asked for it; empty once asking for it was refused.
alter table gateway.connections add column wanted_scope text;
