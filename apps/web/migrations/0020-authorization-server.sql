-- Oldest release that can run on it: 1
-- The authorization server for MCP clients, with tables of its own. Until now they were those of a plugin of better-auth, which are left as
-- they are for one release. Secrets, codes and tokens are stored as SHA-256 digests in base64url, as before.

create table web.oauth_client (
  client_id        text primary key,
  secret_digest    text,
  auth_method      text not null check (auth_method in ('none', 'client_secret_post', 'client_secret_basic')),
  name             text not null,
  redirect_uris    text[] not null,
  software_id      text,
  software_version text,
  -- Set by the operator only.
  disabled         boolean not null default false,
  -- When somebody last allowed it something.
  allowed_at       timestamptz,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now()
);

-- One login of one client on one machine, for one person and one space. Codes and tokens go with it.
create table web.oauth_grant (
  id           uuid primary key default gen_random_uuid(),
  client_id    text not null references web.oauth_client (client_id) on delete cascade,
  user_id      uuid not null,
  space_id     uuid not null,
  resource     text not null,
  scope        text not null,
  -- Of the browser in which the person allowed it: tells one machine from another.
  user_agent   text not null default '',
  created_at   timestamptz not null default now(),
  last_used_at timestamptz
);
create index oauth_grant_of_user on web.oauth_grant (user_id, space_id);
create index oauth_grant_of_client on web.oauth_grant (client_id);

create table web.oauth_code (
  digest         text primary key,
  grant_id       uuid not null references web.oauth_grant (id) on delete cascade,
  redirect_uri   text not null,
  code_challenge text not null,
  -- How often it was presented. It is good for the first time only.
  presented      integer not null default 0,
  expires_at     timestamptz not null
);
create index oauth_code_of_grant on web.oauth_code (grant_id);

create table web.oauth_refresh_token (
  digest      text primary key,
  grant_id    uuid not null references web.oauth_grant (id) on delete cascade,
  -- The digest of the token that it replaces.
  predecessor text,
  -- When it was first presented at the token endpoint.
  used_at     timestamptz,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null
);
create index oauth_refresh_token_of_grant on web.oauth_refresh_token (grant_id);
create index oauth_refresh_token_predecessor on web.oauth_refresh_token (predecessor);

-- Keys that sign access tokens, and one that derives refresh tokens from their predecessors. Sealed with AUTH_SECRETS.
create table web.oauth_key (
  id         text primary key,
  purpose    text not null check (purpose in ('sign', 'rotate')),
  -- A JSON Web Key, for those that sign.
  public_key jsonb,
  sealed     text not null,
  created_at timestamptz not null default now(),
  -- When a process found that it cannot open it, and made another.
  retired_at timestamptz
);

-- What was revoked of one grant only; null for all that the client, or the person, has in the space.
alter table web.ended_access add column grant_id text;

-- Client documents are swept together with their clients. Processes of the release before may still write clients to the plugin's table.
alter table web.client_document drop constraint if exists "client_document_client_id_fkey";

-- The end of a membership and its revocation are one transaction. Grants of somebody who is no member get no tokens, and are deleted when
-- the row is delivered.
create or replace function web.end_access_of_member() returns trigger language plpgsql as $$
begin
  insert into web.ended_access (space_id, user_id) values (old."organizationId", old."userId");
  return old;
end
$$;

-- Carries the logins over from the plugin's tables, where there are any.
do $$
begin
  if to_regclass('web."oauthClient"') is null or to_regclass('web.jwks') is null then return; end if;

  insert into web.oauth_client
    (client_id, secret_digest, auth_method, name, redirect_uris, software_id, software_version, disabled, allowed_at,
     created_at, updated_at)
  select "clientId", "clientSecret", coalesce("tokenEndpointAuthMethod", 'client_secret_basic'), coalesce(name, 'An MCP client'),
         array(select jsonb_array_elements_text("redirectUris"::jsonb)), "softwareId", "softwareVersion", coalesce(disabled, false),
         (select max("updatedAt") from web."oauthConsent" where "clientId" = client."clientId"),
         coalesce("createdAt", now()), coalesce("updatedAt", now())
  from web."oauthClient" client;

  -- A login is told apart by the code that it began with.
  with carried as materialized (
  select gen_random_uuid() as id, token.*
  from (
    select distinct on (coalesce(refresh."authorizationCodeId", refresh.id::text))
           refresh.token, refresh."clientId" as client_id, refresh."userId" as user_id, refresh."referenceId"::uuid as space_id,
           refresh.resources::jsonb ->> 0 as resource,
           (select string_agg(scope, ' ' order by position)
            from jsonb_array_elements_text(refresh.scopes::jsonb) with ordinality as scopes (scope, position)) as scope,
           consent."createdAt" as began_at, refresh."createdAt" as created_at, refresh."expiresAt" as expires_at
    from web."oauthRefreshToken" refresh
         join web."oauthConsent" consent using ("clientId", "userId", "referenceId")
         join web.oauth_client client on client.client_id = refresh."clientId"
    where refresh.revoked is null and refresh."expiresAt" > now() and jsonb_array_length(refresh.resources::jsonb) = 1
      and refresh.scopes::jsonb <@ consent.scopes::jsonb
      and refresh."referenceId" ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    order by coalesce(refresh."authorizationCodeId", refresh.id::text), refresh."createdAt" desc
  ) token),
  grants as (
    insert into web.oauth_grant (id, client_id, user_id, space_id, resource, scope, created_at, last_used_at)
    select id, client_id, user_id, space_id, resource, scope, least(began_at, created_at), created_at from carried)
  insert into web.oauth_refresh_token (digest, grant_id, created_at, expires_at)
  select token, id, created_at, expires_at from carried;

  -- Key ids stay, and so do the keys: tokens that are out are good until they expire.
  insert into web.oauth_key (id, purpose, public_key, sealed, created_at)
  select id::text, 'sign', "publicKey"::jsonb, "privateKey"::jsonb #>> '{}', "createdAt" from web.jwks;
end
$$;
