-- Oldest release that can run on it: 1
-- Why the credential cannot be renewed or used right now; null while all is well.
alter table gateway.connections add column degraded jsonb;
-- How long the pause until intent_not_before was when it began: a longer one was written by a clock that has moved since.
alter table gateway.connections add column intent_pause_ms integer;
-- Earlier consents of the space that may still be valid at the authorization server.
alter table gateway.connections add column unrevoked_consents integer not null default 0;

-- A request that was taken stays until its time is over, so that a repeated callback gets the outcome of the first.
alter table gateway.authorization_requests add column taken_at timestamptz;
alter table gateway.authorization_requests add column outcome text;

-- When the gateway registered itself as a client for a connection, within the last hour.
create table gateway.registration_counts (
  stream uuid          primary key,
  made   timestamptz[] not null
);
-- gateway.client_registrations is no longer used: each consent registers a client, which is kept with its tokens. A later release drops the table,
-- when no replica reads it.
