-- Oldest release that can run on it: 1
-- Revoked grants of authorization servers (one login of one client). An empty client means that it is unknown.
create table gateway.ended_grants (
  space_id  text        not null,
  user_id   text        not null,
  grant_id  text        not null,
  client_id text        not null,
  ended_at  timestamptz not null,
  primary key (space_id, user_id, grant_id)
);
create index ended_grants_age on gateway.ended_grants (ended_at);
