-- Oldest release that can run on it: 1
-- Append-only events. The primary key ensures optimistic concurrency.
create table gateway.connection_events (
  stream      uuid        not null,
  version     integer     not null check (version > 0),
  event       jsonb       not null,
  recorded_at timestamptz not null default now(),
  primary key (stream, version)
);

-- Snapshot of each stream after its last event, updated in the same statement as the append.
create table gateway.connections (
  stream             uuid primary key,
  space_id           text    not null unique,
  version            integer not null,
  connection         jsonb   not null,
  workspace          jsonb,
  refresh_due_at     timestamptz,
  last_used_at       timestamptz,
  -- The refresh in flight or in doubt, written before the refresh token is sent.
  intent_generation  integer,
  intent_claim       uuid,
  intent_in_doubt    integer not null default 0,
  intent_failures    integer not null default 0,
  intent_not_before  timestamptz
);
create index connections_refresh_due on gateway.connections (refresh_due_at) where refresh_due_at is not null;

-- One data key per connection, wrapped by the operator's key. Deleting it destroys the credentials that it sealed.
create table gateway.data_keys (
  stream     uuid primary key,
  id         uuid        not null,
  kid        text        not null,
  wrapped    text        not null,
  created_at timestamptz not null default now()
);

create table gateway.client_registrations (
  stream        uuid        not null,
  issuer        text        not null,
  redirect_uri  text        not null,
  sealed        text        not null,
  registered_at timestamptz not null default now(),
  primary key (stream, issuer, redirect_uri)
);

-- Pending authorization requests. Unlogged, as they live for ten minutes only.
create unlogged table gateway.authorization_requests (
  state_hash text        primary key,
  sealed     text        not null,
  expires_at timestamptz not null
);
create index authorization_requests_expiry on gateway.authorization_requests (expires_at);

-- Owners of MCP sessions, by the hash of the session ID.
create table gateway.mcp_sessions (
  id_hash    bytea       primary key,
  space_id   text        not null,
  user_id    text        not null,
  created_at timestamptz not null default now()
);
create index mcp_sessions_age on gateway.mcp_sessions (created_at);
