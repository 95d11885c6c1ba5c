-- Oldest release that can run on it: 1
-- The client of the user that a session belongs to; empty for an application.
alter table gateway.mcp_sessions add column client text not null default '';

-- Access keys of MCP clients, hashed.
create table gateway.access_keys (
  id           uuid        primary key,
  hash         bytea       not null unique,
  name         text        not null,
  space_id     text        not null,
  user_id      text        not null,
  scope        text        not null check (scope in ('notion:read', 'notion:write')),
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  last_used_at timestamptz
);
create index access_keys_space on gateway.access_keys (space_id, user_id);

-- Tokens issued up to this time are revoked. An empty client stands for all clients of the user.
create table gateway.access_revocations (
  space_id   text        not null,
  user_id    text        not null,
  client_id  text        not null,
  revoked_at timestamptz not null,
  primary key (space_id, user_id, client_id)
);
create index access_revocations_age on gateway.access_revocations (revoked_at);

-- Activity of clients. The principal is the hash of space, user and credential.
create table gateway.seen_clients (
  principal     bytea       not null,
  name          text        not null,
  space_id      text        not null,
  user_id       text        not null,
  client_id     text,
  key_id        uuid,
  version       text,
  era           text        not null,
  takes_urls    boolean     not null,
  first_seen_at timestamptz not null default now(),
  last_seen_at  timestamptz not null default now(),
  primary key (principal, name)
);
create index seen_clients_space on gateway.seen_clients (space_id, user_id);
create index seen_clients_age on gateway.seen_clients (last_seen_at);
