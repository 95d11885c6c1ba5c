-- Oldest release that can run on it: 1
-- Access of people's own MCP clients that ended before its time, until the gateway knows. Without a client it is all access of the
-- person to the space, keys too.
create table web.ended_access (
  id        bigint generated always as identity primary key,
  space_id  uuid not null,
  user_id   uuid not null,
  client_id text,
  ended_at  timestamptz not null default now()
);

-- Whoever is no longer a member has no access from the same moment on, however the membership ended: the row above, and the end of
-- what could get new tokens, are one with it.
create function web.end_access_of_member() returns trigger language plpgsql as $$
begin
  delete from web."oauthRefreshToken"
  where "userId" = old."userId" and "referenceId" = old."organizationId"::text;
  delete from web."oauthConsent"
  where "userId" = old."userId" and "referenceId" = old."organizationId"::text;
  insert into web.ended_access (space_id, user_id) values (old."organizationId", old."userId");
  return old;
end
$$;

create trigger access_ends_with_membership after delete on web.member
for each row execute function web.end_access_of_member();
