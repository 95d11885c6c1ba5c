-- Oldest release that can run on it: 1
-- Why the credential cannot be refreshed or used at present; null while it can.
alter table gateway.connections add column degraded jsonb;
-- Initial length of the pause until intent_not_before. If more than this remains, a wrong clock wrote it.
alter table gateway.connections add column intent_pause_ms integer;
-- Earlier consents of the space that may still be valid at the authorization server.
alter table gateway.connections add column unrevoked_consents integer not null default 0;

-- A taken request is kept until it expires, so that a repeated callback gets the outcome of the first.
alter table gateway.authorization_requests add column taken_at timestamptz;
alter table gateway.authorization_requests add column outcome text;

-- Times of client registrations for a connection within the last hour.
create table gateway.registration_counts (
  stream uuid          primary key,
  made   timestamptz[] not null
);
-- gateway.client_registrations is no longer used: each consent registers a client, which is stored with its tokens. A later release drops the
-- table, when no replica reads it.
