-- Oldest release that can run on it: 1
-- Invitations into a space. The link that is sent holds a secret, of which only the hash is kept: who can read this table cannot join.
create table web.space_invitation (
  id          uuid primary key,
  space_id    uuid not null references web.organization (id) on delete cascade,
  role        text not null check (role in ('admin', 'member')),
  -- Whom it is for, in lower case; null for whoever has the link.
  email       text,
  secret_hash bytea not null unique,
  invited_by  uuid not null references web."user" (id) on delete cascade,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null
);
create index space_invitation_of_space on web.space_invitation (space_id, created_at desc);
